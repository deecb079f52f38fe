// The console's own script: counts beside the menu, and the search in a list of offices. Every page works without it.
"use strict";
(() => {
  const live = document.body.dataset.live;
  if (live && window.EventSource) {
    const source = new EventSource(live);
    source.addEventListener("counts", (event) => {
      const counts = JSON.parse(event.data);
      for (const el of document.querySelectorAll("[data-count]")) {
        const n = counts[el.dataset.count];
        if (n === undefined) continue;
        el.textContent = String(n);
        if (el.classList.contains("count")) {
          el.hidden = n === 0;
          el.classList.toggle("urgent", (el.dataset.count === "inbox" && counts.late > 0) || (el.dataset.count === "outbox" && n > 0));
        }
      }
    });
    window.addEventListener("pagehide", () => source.close());
  }
  for (const input of document.querySelectorAll("[data-filter]")) {
    const rows = document.querySelectorAll(input.dataset.filter + " tbody tr");
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of rows) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted) && !row.querySelector(":checked");
    });
  }
})();

// The verifying page: hands files to the verifier, which runs in this page, and shows its answer. Nothing is sent anywhere.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const texts = JSON.parse($("texts").textContent);
  const trust = JSON.parse($("trust").textContent);
  const state = $("state");
  const results = $("results");
  const say = (key) => { state.textContent = texts[key] || ""; };
  const el = (tag, className, ...children) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    for (const c of children) if (c !== null && c !== undefined && c !== "") e.append(c);
    return e;
  };

  const compressed = async () => {
    const inside = $("program");
    if (!inside) {
      const answer = await fetch("/verify/program.wasm.gz");
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.body;
    }
    const digits = "!#$%()*+,./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}";
    const value = new Uint8Array(128);
    for (let i = 0; i < digits.length; i++) value[digits.charCodeAt(i)] = i;
    const text = inside.textContent;
    const view = new DataView(new ArrayBuffer(text.length / 5 * 4));
    for (let i = 0, at = 0; i < text.length; at += 4) {
      let v = 0;
      for (let k = 0; k < 5; k++) v = v * 85 + value[text.charCodeAt(i++)];
      view.setUint32(at, v);
    }
    const bytes = new Uint8Array(view.buffer, 0, Number(inside.dataset.size));
    inside.textContent = "";
    return new Blob([bytes]).stream();
  };

  // start gives the verifier, started once.
  let started;
  const start = () => {
    started ||= (async () => {
      say("loading");
      const plain = new Response((await compressed()).pipeThrough(new DecompressionStream("gzip")));
      const go = new Go();
      const program = await WebAssembly.instantiate(await plain.arrayBuffer(), go.importObject);
      go.run(program.instance);
      if (typeof window.yinxinVerify !== "function") throw new Error("verifier");
      say("ready");
      document.body.dataset.ready = "1";
    })();
    return started;
  };

  const mark = (status) => ({ passed: "✓", failed: "✗", rejected: "✗" })[status] || "?";
  const checks = (list) => {
    const ul = el("ul", "checks");
    for (const c of list || []) {
      ul.append(el("li", "", el("b", "mark-text v-" + c.status, mark(c.status)), el("span", "", el("b", "", c.name), " " + c.word + (c.reason ? "：" + c.reason : ""), c.detail ? el("small", "", c.detail) : null)));
    }
    return ul;
  };
  const warnings = (list) => (list || []).map((w) => el("p", "hint", "? ", el("span", "", w.text, w.detail ? el("small", "", w.detail) : null)));
  const folded = (title, ...children) => {
    const d = el("details", "");
    d.append(el("summary", "", title), ...children);
    return d;
  };
  const file = (f, top) => {
    const box = el("section", (top ? "answer" : "verdict") + " v-" + f.verdict);
    box.dataset.verdict = f.verdict;
    box.append(el(top ? "h2" : "h3", "", mark(f.verdict) + " " + f.headline));
    box.append(el("p", "dim", f.file + "（" + f.type + "）"));
    if (f.reason) box.append(el("p", "why", f.reason));
    if (top && f.advice) box.append(el("p", "dim", f.advice));
    for (const s of f.signatures || []) {
      const part = el("div", "signature", el("p", "", el("b", "", mark(s.verdict) + " " + s.kind), " " + (s.seal || s.signer) + " · " + s.word + (s.reason ? "：" + s.reason : "")), el("p", "dim", s.time));
      part.append(folded(texts.checks, checks(s.checks), el("p", "dim", texts.signer + " " + s.signer), ...warnings(s.warnings)));
      box.append(part);
    }
    if ((f.checks || []).length || (f.warnings || []).length) box.append(folded(texts.filechecks, checks(f.checks), ...warnings(f.warnings)));
    if ((f.parts || []).length) box.append(folded(texts.parts + " (" + f.parts.length + ")", ...f.parts.map((p) => file(p, false))));
    return box;
  };

  const save = (report) => {
    const a = el("a", "button", texts.save);
    a.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 1)], { type: "application/json" }));
    a.download = "report.json";
    return el("p", "actions", a);
  };

  const judge = async (list) => {
    const files = [...list];
    if (!files.length) return;
    results.replaceChildren();
    try {
      await start();
      say("working");
      const input = [];
      for (const f of files) input.push({ name: f.name, data: new Uint8Array(await f.arrayBuffer()) });
      const answer = JSON.parse(window.yinxinVerify(input, JSON.stringify(trust)));
      if (answer.error) throw new Error(answer.error);
      results.replaceChildren(...answer.files.map((f) => file(f, true)), save(answer.report));
      say("done");
    } catch (err) {
      results.replaceChildren();
      state.textContent = texts.broken + " " + err.message;
    }
  };

  const drop = $("drop");
  for (const name of ["dragover", "dragenter"]) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); drop.classList.remove("over"); judge(e.dataTransfer.files); });
  $("files").addEventListener("change", (e) => judge(e.target.files));
  $("more-roots").addEventListener("change", async (e) => {
    for (const f of e.target.files) {
      trust.roots += "\n" + await f.text();
      const row = el("tr", "", el("td", "", f.name), el("td", "", texts.added), el("td", ""));
      $("roots").append(row);
    }
  });
  start().catch((err) => { state.textContent = texts.broken + " " + err.message; });
})();

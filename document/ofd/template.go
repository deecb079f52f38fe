package ofd

import "yinxin/verdict"

// templatePages reads the templates. One that uses itself, through others or not, is refused: it has no one look.
func (w *walker) templatePages(name string, common *Element) error {
	list := common.All("TemplatePage")
	if len(list) > MaxPages {
		return verdict.Refuse(verdict.Limit, "%s: %d templates", name, len(list))
	}
	for _, t := range list {
		page, err := w.page(name, t, KindTemplate)
		if err != nil {
			return err
		}
		if _, twice := w.templates[page.ID]; twice || page.ID == "" {
			return verdict.Refuse(verdict.XMLDuplicate, "%s: two templates have the ID %q, or one has none", name, page.ID)
		}
		w.templates[page.ID] = page
	}
	uses := make(map[string][]string, len(w.templates))
	for id, t := range w.templates {
		uses[id] = t.uses
	}
	if isRing(uses) {
		return verdict.Refuse(verdict.Path, "%s: a template uses itself, or others that use it", name)
	}
	return nil
}

// isRing reports whether following what uses what leads back somewhere: some are left when all that nobody uses are gone.
func isRing(uses map[string][]string) bool {
	users := map[string]int{}
	for _, list := range uses {
		for _, id := range list {
			users[id]++
		}
	}
	var free []string
	for id := range uses {
		if users[id] == 0 {
			free = append(free, id)
		}
	}
	gone := 0
	for ; len(free) > 0; gone++ {
		id := free[len(free)-1]
		free = free[:len(free)-1]
		for _, used := range uses[id] {
			if users[used]--; users[used] == 0 {
				if _, known := uses[used]; known {
					free = append(free, used)
				}
			}
		}
	}
	return gone < len(uses)
}

// templateText adds the text of templates, and of those that they use, to a page: each once.
func (w *walker) templateText(page *Page, uses []string, seen map[string]bool) {
	for _, id := range uses {
		if seen[id] {
			continue
		}
		seen[id] = true
		t := w.templates[id]
		page.text = append(page.text, t.text...)
		w.templateText(page, t.uses, seen)
	}
}

// composites remembers which composite units the units of a resource file use.
func (w *walker) composites(list *Element) {
	for _, unit := range list.All("CompositeGraphicUnit") {
		id := unit.Value("ID")
		w.units[id] = appendUses(w.units[id], unit)
	}
}

func appendUses(uses []string, e *Element) []string {
	for _, c := range e.Children {
		if c.Name == "CompositeObject" {
			uses = append(uses, c.Value("ResourceID"))
		}
		uses = appendUses(uses, c)
	}
	return uses
}

// spend counts the text of pages, that of templates once for each page, against a bound for the whole package: else a small
// file could be a large text.
func (p *Package) spend(text []string) error {
	const line = 16 // bytes that a line costs, however short
	for _, t := range text {
		p.texts += len(t) + line
	}
	if p.texts > MaxXML {
		return verdict.Refuse(verdict.Limit, "more than %d bytes of text on the pages", MaxXML)
	}
	return nil
}

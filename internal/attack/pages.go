package attack

import (
	"encoding/base64"
	"strings"
)

// pageCases are the rows inside of what pages draw, and of templates: the signer himself made the pages so, and
// his signature is sound. What a renderer would refuse must not be sealed by anybody's measure.
func pageCases(l *lab) {
	by := func(id, mutation, verdict, reason string, files []string, change func(p *pack)) {
		l.on("OFD", id, mutation+", by the signer", verdict, reason, func(p *pack) {
			before := map[string][]byte{}
			for _, name := range files {
				before[name] = p.get(name).data
			}
			change(p)
			for _, name := range files {
				l.digest(p, name, before[name])
			}
			l.resign(p, l.base.Sign)
		})
	}
	object := func(boundary, more string) string {
		return `<ofd:PathObject ID="990" Boundary="` + boundary + `"` + more + `><ofd:AbbreviatedData>M 0 0 L 1 1</ofd:AbbreviatedData></ofd:PathObject></ofd:Layer>`
	}
	page := func(id, verdict, what, text string) {
		reason := "number"
		if verdict == Passed {
			reason = "list_open"
		}
		by("X-09/"+id, what+" on a page", verdict, reason, []string{page0}, func(p *pack) { p.edit(page0, "</ofd:Layer>", text) })
	}
	page("object", Passed, "none: an object more", object("1 1 9 9", ""))
	for id, boundary := range sorted(map[string]string{
		"nan": "NaN 1 9 9", "infinite": "1 1 Inf 9", "huge": "1e400 1 9 9", "comma": "1,5 1 9 9", "negative": "1 1 -9 9", "three": "1 1 9", "empty": "",
	}) {
		page("object-"+id, Rejected, "an object with the boundary "+boundary, object(boundary, ""))
	}
	page("matrix-nan", Rejected, "an object with a matrix that is none", object("1 1 9 9", ` CTM="NaN 0 0 1 0 0"`))
	page("matrix-five", Rejected, "an object with a matrix of five numbers", object("1 1 9 9", ` CTM="1 0 0 1 0"`))
	page("line-infinite", Rejected, "an object with an endless line", object("1 1 9 9", ` LineWidth="Inf"`))
	page("colour-nan", Rejected, "a colour that is none", strings.Replace(object("1 1 9 9", ""), "<ofd:Abb", `<ofd:FillColor Value="NaN 0 0"/><ofd:Abb`, 1))
	page("path-nan", Rejected, "a path to nowhere", strings.Replace(object("1 1 9 9", ""), "L 1 1", "L 1 NaN", 1))
	by("X-09/advance-nan", "letters that stand nowhere", Rejected, "number", []string{page0}, func(p *pack) {
		p.edit(page0, ` DeltaX="g`, ` DeltaX="NaN" Was="g`)
	})
	for id, box := range sorted(map[string]string{"nan": "NaN 0 210 297", "infinite": "0 0 Inf 297", "negative": "0 0 -210 297", "nothing": "0 0 0 297"}) {
		by("X-09/page-box-"+id, "a page of the size "+box, Rejected, "number", []string{page0}, func(p *pack) {
			p.edit(page0, "0 0 210 297", box)
		})
	}
	template := func(id, verdict, reason, mutation string, uses ...string) {
		by("X-08/template-"+id, mutation, verdict, reason, []string{docFile, page0}, func(p *pack) {
			var list strings.Builder
			for i, other := range uses {
				name := string(rune('a' + i))
				list.WriteString(`<ofd:TemplatePage ID="` + name + `" BaseLoc="Tpls/` + name + `.xml"/>`)
				text := "<ofd:Page " + ns + ">"
				if other != "" {
					text += `<ofd:Template TemplateID="` + other + `"/>`
				}
				p.put("Doc_0/Tpls/"+name+".xml", text+"<ofd:Content/></ofd:Page>")
				l.addReference(p, "Doc_0/Tpls/"+name+".xml")
			}
			p.edit(docFile, "</ofd:CommonData>", list.String()+"</ofd:CommonData>")
			p.edit(page0, "<ofd:Content>", `<ofd:Template TemplateID="a"/><ofd:Content>`)
		})
	}
	template("plain", Passed, "list_open", "none: a template", "")
	template("nested", Passed, "list_open", "none: a template that uses another", "b", "")
	template("itself", Rejected, "path", "a template that uses itself", "a")
	template("ring", Rejected, "path", "three templates that use each other", "b", "c", "a")
	by("X-08/composite-itself", "a composite unit that uses itself", Rejected, "path", []string{fontsFile}, func(p *pack) {
		p.edit(fontsFile, "</ofd:Res>", `<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="991" Width="9" Height="9"><ofd:Content>`+
			`<ofd:CompositeObject ID="992" ResourceID="991" Boundary="0 0 9 9"/></ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits></ofd:Res>`)
	})
	by("X-08/page-is-document", "a page that is Document.xml", Rejected, "xml_malformed", []string{docFile}, func(p *pack) {
		p.edit(docFile, "Pages/Page_0/Content.xml", "Document.xml")
	})
	by("X-08/resources-are-document", "resources that are Document.xml", Rejected, "xml_malformed", []string{docFile}, func(p *pack) {
		p.edit(docFile, "PublicRes.xml", "Document.xml")
	})
	by("X-08/attached-signature", "an attachment that is the value of the signature, which cannot cover itself", Failed, "uncovered", []string{attached}, func(p *pack) {
		p.edit(attached, "attachment_1.csv", "/"+value0)
	})
}

// sum is the digest of a file as the description holds it.
func (l *lab) sum(data []byte) string {
	sum := l.base.SM3(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// addReference adds a reference to a file to the description, as the signer could.
func (l *lab) addReference(p *pack, name string) {
	p.edit(describe0, "</ofd:References>", `<ofd:Reference FileRef="/`+name+`"><ofd:CheckValue>`+l.sum(p.get(name).data)+
		`</ofd:CheckValue></ofd:Reference></ofd:References>`)
}

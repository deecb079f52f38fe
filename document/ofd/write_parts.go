package ofd

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
)

// builder collects the parts of one package.
type builder struct {
	pages   *layout.Pages
	docType string
	files   []file
	lastID  int
	// fontIDs maps a family to its resource.
	fontIDs map[string]int
	pageIDs []int
	// pictureIDs maps the sum of a picture's file to its resource.
	pictureIDs map[[32]byte]int
	// attachments is the path of the attachment list, empty without one.
	attachments string
}

func (b *builder) id() int {
	b.lastID++
	return b.lastID
}

func (b *builder) add(name string, data []byte) {
	b.files = append(b.files, file{name: name, data: data})
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// fonts embeds a subset of every face in use: without its font a reader would substitute, and the page would no longer be
// what was sealed.
func (b *builder) fonts() error {
	faces := make(map[string]*fonts.Face)
	chars := make(map[string][]rune)
	var order []string
	for _, p := range b.pages.Pages {
		for _, r := range p.Runs {
			name := r.Face.Family()
			if faces[name] == nil {
				faces[name] = r.Face
				order = append(order, name)
			}
			chars[name] = append(chars[name], []rune(r.Text)...)
		}
	}
	slices.Sort(order)
	b.fontIDs = make(map[string]int)
	var res strings.Builder
	res.WriteString(xmlHead + `<ofd:Res xmlns:ofd="` + namespace + `" BaseLoc="Res"><ofd:Fonts>`)
	for i, name := range order {
		data, err := faces[name].Subset(chars[name])
		if err != nil {
			return err
		}
		id := b.id()
		b.fontIDs[name] = id
		fileName := fmt.Sprintf("font_%d.ttf", i)
		fmt.Fprintf(&res, `<ofd:Font ID="%d" FontName="%s" FamilyName="%s"><ofd:FontFile>%s</ofd:FontFile></ofd:Font>`,
			id, escape(name), escape(name), fileName)
		b.add("Doc_0/Res/"+fileName, data)
	}
	res.WriteString(`</ofd:Fonts></ofd:Res>` + "\n")
	b.add("Doc_0/PublicRes.xml", []byte(res.String()))
	return nil
}

// pictures stores every picture once and lists them as resources of the document.
func (b *builder) pictures() error {
	b.pictureIDs = make(map[[32]byte]int)
	var x strings.Builder
	for _, page := range b.pages.Pages {
		for _, p := range page.Pictures {
			sum := gm.SM3(p.Data)
			if _, stored := b.pictureIDs[sum]; stored {
				continue
			}
			format, suffix := "PNG", "png"
			switch p.Format {
			case "png":
			case "jpeg":
				format, suffix = "JPEG", "jpg"
			default:
				return fmt.Errorf("picture of the format %q", p.Format)
			}
			id := b.id()
			name := fmt.Sprintf("image_%d.%s", len(b.pictureIDs), suffix)
			b.pictureIDs[sum] = id
			fmt.Fprintf(&x, `<ofd:MultiMedia ID="%d" Type="Image" Format="%s"><ofd:MediaFile>%s</ofd:MediaFile></ofd:MultiMedia>`, id, format, name)
			b.add("Doc_0/Res/"+name, p.Data)
		}
	}
	if len(b.pictureIDs) > 0 {
		b.add("Doc_0/DocumentRes.xml", []byte(xmlHead+`<ofd:Res xmlns:ofd="`+namespace+`" BaseLoc="Res"><ofd:MultiMedias>`+x.String()+
			`</ofd:MultiMedias></ofd:Res>`+"\n"))
	}
	return nil
}

// picture writes an ImageObject: the unit square under its matrix (GB/T 33190-2016 10).
func (b *builder) picture(x *strings.Builder, p layout.Picture) {
	fmt.Fprintf(x, `<ofd:ImageObject ID="%d" Boundary="%s %s %s %s" CTM="%s 0 0 %s 0 0" ResourceID="%d"/>`,
		b.id(), mm(p.X), mm(p.Y), mm(p.Width), mm(p.Height), mm(p.Width), mm(p.Height), b.pictureIDs[gm.SM3(p.Data)])
}

// content writes one Content.xml a page.
func (b *builder) content() error {
	for i, p := range b.pages.Pages {
		b.pageIDs = append(b.pageIDs, b.id())
		var x strings.Builder
		fmt.Fprintf(&x, xmlHead+`<ofd:Page xmlns:ofd="%s"><ofd:Area><ofd:PhysicalBox>0 0 %s %s</ofd:PhysicalBox></ofd:Area>`,
			namespace, mm(p.Width), mm(p.Height))
		fmt.Fprintf(&x, `<ofd:Content><ofd:Layer ID="%d" Type="Body">`, b.id())
		for j := range p.Runs {
			b.text(&x, &p.Runs[j])
		}
		for _, r := range p.Rules {
			b.rule(&x, r)
		}
		for _, f := range p.Pictures {
			b.picture(&x, f)
		}
		x.WriteString(`</ofd:Layer></ofd:Content></ofd:Page>` + "\n")
		b.add(fmt.Sprintf("Doc_0/Pages/Page_%d/Content.xml", i), []byte(x.String()))
	}
	return nil
}

// text writes a TextObject. Its boundary leaves room around the ink, because readers cut at it.
func (b *builder) text(x *strings.Builder, r *layout.Run) {
	pad := 0.2 * r.Size
	left, top := r.X-pad, r.Y-r.Face.EmTop()*r.Size-pad
	fmt.Fprintf(x, `<ofd:TextObject ID="%d" Boundary="%s %s %s %s" Font="%d" Size="%s">`,
		b.id(), mm(left), mm(top), mm(r.Width()+2*pad), mm(r.Size+2*pad), b.fontIDs[r.Face.Family()], mm(r.Size))
	if r.Color != layout.Black() {
		fmt.Fprintf(x, `<ofd:FillColor Value="%d %d %d"/>`, r.Color.R, r.Color.G, r.Color.B)
	}
	fmt.Fprintf(x, `<ofd:TextCode X="%s" Y="%s"`, mm(r.X-left), mm(r.Y-top))
	if n := len(r.Advances); n > 1 {
		fmt.Fprintf(x, ` DeltaX="%s"`, deltas(r.Advances[:n-1]))
	}
	fmt.Fprintf(x, `>%s</ofd:TextCode></ofd:TextObject>`, escape(r.Text))
}

// deltas writes advances, runs of equal ones as "g count value" (GB/T 33190-2016 11.3).
func deltas(advances []float64) string {
	texts := make([]string, 0, len(advances))
	for _, a := range advances {
		texts = append(texts, mm(a))
	}
	var out []string
	for i := 0; i < len(texts); {
		n := i
		for n < len(texts) && texts[n] == texts[i] {
			n++
		}
		if n-i > 2 {
			out = append(out, "g", strconv.Itoa(n-i), texts[i])
		} else {
			out = append(out, texts[i:n]...)
		}
		i = n
	}
	return strings.Join(out, " ")
}

func (b *builder) rule(x *strings.Builder, r layout.Rule) {
	half := r.Width / 2
	left, top := min(r.X1, r.X2)-half, min(r.Y1, r.Y2)-half
	width, height := math.Abs(r.X2-r.X1)+r.Width, math.Abs(r.Y2-r.Y1)+r.Width
	fmt.Fprintf(x, `<ofd:PathObject ID="%d" Boundary="%s %s %s %s" LineWidth="%s">`,
		b.id(), mm(left), mm(top), mm(width), mm(height), mm(r.Width))
	fmt.Fprintf(x, `<ofd:StrokeColor Value="%d %d %d"/>`, r.Color.R, r.Color.G, r.Color.B)
	fmt.Fprintf(x, `<ofd:AbbreviatedData>M %s %s L %s %s</ofd:AbbreviatedData></ofd:PathObject>`,
		mm(r.X1-left), mm(r.Y1-top), mm(r.X2-left), mm(r.Y2-top))
}

// attach stores the files under names of our own and lists them with theirs.
func (b *builder) attach(attachments []Attachment) error {
	if len(attachments) == 0 {
		return nil
	}
	var x strings.Builder
	fmt.Fprintf(&x, xmlHead+`<ofd:Attachments xmlns:ofd="%s">`, namespace)
	for i, a := range attachments {
		suffix := path.Ext(a.Name)
		if !plainSuffix(suffix) {
			suffix = ".dat"
		}
		name := fmt.Sprintf("attachment_%d%s", i+1, strings.ToLower(suffix))
		fmt.Fprintf(&x, `<ofd:Attachment ID="%d" Name="%s" Format="%s" Size="%s" Visible="true"><ofd:FileLoc>%s</ofd:FileLoc></ofd:Attachment>`,
			b.id(), escape(a.Name), escape(strings.TrimPrefix(suffix, ".")), mm(float64(len(a.Data))/1024), name)
		b.add("Doc_0/Attachs/"+name, a.Data)
	}
	x.WriteString(`</ofd:Attachments>` + "\n")
	b.attachments = "Attachs/Attachments.xml"
	b.add("Doc_0/"+b.attachments, []byte(x.String()))
	return nil
}

func plainSuffix(s string) bool {
	for _, r := range strings.TrimPrefix(s, ".") {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return len(s) > 1 && len(s) <= 9
}

func (b *builder) document() {
	var x strings.Builder
	fmt.Fprintf(&x, xmlHead+`<ofd:Document xmlns:ofd="%s"><ofd:CommonData><ofd:MaxUnitID>%d</ofd:MaxUnitID>`, namespace, b.lastID)
	fmt.Fprintf(&x, `<ofd:PageArea><ofd:PhysicalBox>0 0 %s %s</ofd:PhysicalBox></ofd:PageArea>`,
		mm(layout.PageWidth), mm(layout.PageHeight))
	x.WriteString(`<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>`)
	if len(b.pictureIDs) > 0 {
		x.WriteString(`<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>`)
	}
	x.WriteString(`</ofd:CommonData><ofd:Pages>`)
	for i, id := range b.pageIDs {
		fmt.Fprintf(&x, `<ofd:Page ID="%d" BaseLoc="Pages/Page_%d/Content.xml"/>`, id, i)
	}
	x.WriteString(`</ofd:Pages>`)
	if b.attachments != "" {
		x.WriteString(`<ofd:Attachments>` + b.attachments + `</ofd:Attachments>`)
	}
	x.WriteString(`</ofd:Document>` + "\n")
	b.add("Doc_0/Document.xml", []byte(x.String()))
}

// root writes OFD.xml and puts it first. DocID is made from everything else, so that equal documents are equal files.
func (b *builder) root(m document.Metadata) error {
	all, err := document.MarshalMetadata(m)
	if err != nil {
		return err
	}
	parts := [][]byte{all}
	for _, f := range b.files {
		parts = append(parts, []byte(f.name), f.data)
	}
	sum := gm.SM3(parts...)
	var x strings.Builder
	fmt.Fprintf(&x, xmlHead+`<ofd:OFD xmlns:ofd="%s" Version="1.0" DocType="%s"><ofd:DocBody><ofd:DocInfo>`, namespace, b.docType)
	element := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&x, `<ofd:%s>%s</ofd:%s>`, name, escape(value), name)
		}
	}
	element("DocID", hex.EncodeToString(sum[:16]))
	element("Title", m.Title)
	element("Author", m.Issuer.Name)
	element("Subject", m.Kind.String())
	element("CreationDate", m.IssuedOn.String())
	if len(m.Keywords) > 0 {
		x.WriteString(`<ofd:Keywords>`)
		for _, k := range m.Keywords {
			element("Keyword", k)
		}
		x.WriteString(`</ofd:Keywords>`)
	}
	element("Creator", creator)
	x.WriteString(`<ofd:CustomDatas>`)
	for _, d := range append([]customData{{document.MetadataKey, string(all)}}, readable(m)...) {
		if d.value != "" {
			fmt.Fprintf(&x, `<ofd:CustomData Name="%s">%s</ofd:CustomData>`, escape(d.name), escape(d.value))
		}
	}
	x.WriteString(`</ofd:CustomDatas></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>` + "\n")
	b.files = append([]file{{name: "OFD.xml", data: []byte(x.String())}}, b.files...)
	return nil
}

type customData struct{ name, value string }

// readable are the elements that any OFD reader can show, under their Chinese names.
func readable(m document.Metadata) []customData {
	return []customData{
		{"标识", m.ID},
		{"文种", m.Kind.String()},
		{"发文字号", m.Number.String()},
		{"发文机关", m.Issuer.Name},
		{"发文机关代码", m.Issuer.Code},
		{"紧急程度", m.Urgency.String()},
		{"成文日期", m.IssuedOn.String()},
		{"签发人", strings.Join(m.Approvers, "，")},
		{"主送", officeNames(m.To)},
		{"抄送", officeNames(m.CC)},
		{"页数", strconv.Itoa(m.Pages)},
	}
}

func officeNames(list []document.Office) string {
	names := make([]string, 0, len(list))
	for _, o := range list {
		names = append(names, o.Name)
	}
	return strings.Join(names, "，")
}

// mm prints millimetres with four decimals at most: a tenth of a micrometre, without exponents.
func mm(v float64) string {
	s := strconv.FormatFloat(v, 'f', 4, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

// escape makes text safe in elements and attributes; characters that XML 1.0 cannot hold become U+FFFD.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil { // a strings.Builder does not fail
		return ""
	}
	return b.String()
}

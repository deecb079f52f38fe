package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// composePage is the form with which a document is written.
type composePage struct {
	Kinds   []string
	Urgency []string
	Offices []directoryName
	Seals   []sealRow
	Sent    composeForm
	Faults  []api.Fault
	Refused bool // a classified document, of which nothing is kept
}

// composeForm is what the form holds.
type composeForm struct {
	Kind, Number, Urgency, Title, IssuedOn, Body, Note, Approver, Seal string
	To, CC                                                             []string
	// Draft is a whole draft in YAML, instead of the fields above.
	Draft string
}

// draftFields is the form as the composer's draft; see docs and examples/*.yaml.
type draftFields struct {
	Kind        string            `yaml:"kind"`
	Issuer      draftOffice       `yaml:"issuer"`
	Number      string            `yaml:"number"`
	Urgency     string            `yaml:"urgency"`
	Title       string            `yaml:"title"`
	IssuedOn    string            `yaml:"issued_on"`
	Approvers   []string          `yaml:"approvers,omitempty"`
	To          []draftOffice     `yaml:"to"`
	CC          []draftOffice     `yaml:"cc,omitempty"`
	Body        string            `yaml:"body"`
	Attachments []draftAttached   `yaml:"attachments,omitempty"`
	Note        string            `yaml:"note,omitempty"`
	PrintedBy   string            `yaml:"printed_by"`
	PrintedOn   string            `yaml:"printed_on"`
	Signature   map[string]string `yaml:"signature"`
}

type draftOffice struct {
	Code string `yaml:"code"`
	Name string `yaml:"name"`
}

type draftAttached struct {
	Title string `yaml:"title"`
	File  string `yaml:"file"`
}

func (s *Server) compose(c *call) error {
	day := s.c.Clock().In(s.c.Zone).Format(time.DateOnly)
	return s.showCompose(c, http.StatusOK, composePage{Sent: composeForm{Kind: document.Notice.String(), Urgency: document.Normal.String(), IssuedOn: day}})
}

func (s *Server) showCompose(c *call, status int, p composePage) error {
	for _, k := range document.Kinds() {
		p.Kinds = append(p.Kinds, k.String())
	}
	p.Urgency = []string{document.Normal.String(), document.Urgent.String(), document.ExtraUrgent.String()}
	offices, err := s.addressees(c)
	if err != nil {
		return err
	}
	p.Offices = offices
	all, err := s.c.Seals.SealsOf(c.Context(), c.account.Org)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.InForce(s.c.Clock()) == nil {
			p.Seals = append(p.Seals, s.sealRow(r))
		}
	}
	return c.show(status, "compose", p)
}

// addressees are the offices that can be written to: all that are active and have a certificate, but this one and the archive.
func (s *Server) addressees(c *call) ([]directoryName, error) {
	var out []directoryName
	for after := ""; ; {
		got, err := s.c.Accounts.Organisations(c.Context(), after, 200)
		if err != nil {
			return nil, err
		}
		for _, o := range got {
			after = o.Code
			if o.Status == directory.Active && !o.Archive && o.Code != c.account.Org && len(o.EncryptionCert) > 0 {
				out = append(out, directoryName{o.Code, o.Name})
			}
		}
		if len(got) < 200 {
			return out, nil
		}
	}
}

// Bounds of a draft that comes from a form.
const (
	draftTimeout   = 5 * time.Minute
	maxDraftForm   = api.MaxDraft
	maxAttachments = 50
)

// preview composes what was written and shows its pages before anything is asked for.
func (s *Server) preview(c *call) error {
	err := c.formUpTo(maxDraftForm, draftTimeout, "kind", "number", "urgency", "title", "issued_on", "body", "note", "approver", "seal",
		"to*", "cc*", "draft", "files*") // a browser sends an empty choice of files as a field
	if err != nil {
		return err
	}
	if c.MultipartForm != nil {
		defer c.MultipartForm.RemoveAll() //nolint:errcheck // they lie in the system's folder, which is cleared
	}
	sent := composeForm{
		Kind: c.value("kind"), Number: c.value("number"), Urgency: c.value("urgency"), Title: c.value("title"), IssuedOn: c.value("issued_on"),
		Body: strings.ReplaceAll(c.PostForm.Get("body"), "\r\n", "\n"), Note: c.value("note"), Approver: c.value("approver"), Seal: c.value("seal"),
		To: c.PostForm["to"], CC: c.PostForm["cc"], Draft: strings.ReplaceAll(c.PostForm.Get("draft"), "\r\n", "\n"),
	}
	files, err := attached(c)
	if err != nil {
		return err
	}
	d, err := s.composed(c, sent, files)
	if errors.Is(err, document.ErrClassified) {
		if noted := s.c.Office.NoteRefused(c.Context(), c.person(), err); noted != nil {
			return noted
		}
		return s.showCompose(c, http.StatusUnprocessableEntity, composePage{Refused: true})
	}
	if p := problemOf(err); err != nil && p.Code == api.Validation || errors.Is(err, document.ErrMalformed) {
		if len(p.Errors) == 0 {
			p.Errors = []api.Fault{{Pointer: "draft", Detail: err.Error()}}
		}
		return s.showCompose(c, http.StatusUnprocessableEntity, composePage{Sent: sent, Faults: p.Errors})
	}
	if err != nil {
		return err
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	d.account = c.account.ID
	s.drafts.put(id, d)
	return c.redirect("/compose/" + id)
}

// attached reads the files of the form.
func attached(c *call) ([]api.NamedFile, error) {
	if c.MultipartForm == nil {
		return nil, nil
	}
	for field := range c.MultipartForm.File {
		if field != "files" {
			return nil, api.NewProblem(api.Malformed, "field")
		}
	}
	heads := c.MultipartForm.File["files"]
	if len(heads) > maxAttachments {
		return nil, api.NewProblem(api.TooLarge, "")
	}
	var out []api.NamedFile
	for _, h := range heads {
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if len(data) > 0 {
			out = append(out, api.NamedFile{Name: path.Base(strings.ReplaceAll(h.Filename, `\`, "/")), Data: data})
		}
	}
	return out, nil
}

// draft is a composed document that nobody has asked a seal for yet.
type draft struct {
	account    string
	draft      *office.Draft
	recipients []office.Recipient
	seal       string
	volume     *volume
	kept       time.Time
}

// composed lays out what was written.
func (s *Server) composed(c *call, f composeForm, files []api.NamedFile) (*draft, error) {
	text := []byte(f.Draft)
	if strings.TrimSpace(f.Draft) == "" {
		var err error
		if text, err = s.draftOf(c, f, files); err != nil {
			return nil, err
		}
	}
	doc, err := document.Parse(text)
	if err != nil {
		return nil, err
	}
	made, err := office.Compose(doc, s.c.Faces, func(name string) ([]byte, error) {
		for _, file := range files {
			if file.Name == name {
				return file.Data, nil
			}
		}
		return office.NoAttachments(name)
	})
	if err != nil {
		return nil, err
	}
	d := &draft{draft: made, seal: f.Seal}
	for _, o := range made.Metadata.To {
		d.recipients = append(d.recipients, office.Recipient{Code: o.Code, Role: transport.To})
	}
	for _, o := range made.Metadata.CC {
		d.recipients = append(d.recipients, office.Recipient{Code: o.Code, Role: transport.CC})
	}
	if bad := s.checkSend(c.Context(), c, d); len(bad) > 0 {
		p := api.NewProblem(api.Validation, "")
		p.Errors = bad
		return nil, p
	}
	d.volume, err = draftVolume(made.OFD, s.c.Faces)
	return d, err
}

// checkSend says what stands in the way of sending, before the office service would refuse it.
func (s *Server) checkSend(ctx context.Context, c *call, d *draft) []api.Fault {
	var bad []api.Fault
	r, err := s.c.Seals.Seal(ctx, d.seal)
	if err != nil || r.Office != c.account.Org || r.InForce(s.c.Clock()) != nil {
		bad = append(bad, api.Fault{Pointer: "seal", Detail: c.text("compose.fault.seal")})
	}
	if d.draft.Spot == nil {
		bad = append(bad, api.Fault{Pointer: "signature", Detail: c.text("compose.fault.spot")})
	}
	for _, to := range d.recipients {
		if o, err := s.c.Accounts.Organisation(ctx, to.Code); err != nil || o.Status != directory.Active || len(o.EncryptionCert) == 0 {
			bad = append(bad, api.Fault{Pointer: string(to.Role), Detail: c.text("compose.fault.office", to.Code)})
		}
	}
	return bad
}

// text is a text of the catalogue in the reader's language.
func (c *call) text(key string, args ...any) string {
	return c.s.pages[c.lang].texts.text(key, args...)
}

// draftOf writes the form's fields as a draft.
func (s *Server) draftOf(c *call, f composeForm, files []api.NamedFile) ([]byte, error) {
	own := c.officeName(c.account.Org)
	y := draftFields{
		Kind: f.Kind, Issuer: draftOffice{c.account.Org, own}, Number: f.Number, Urgency: f.Urgency, Title: f.Title, IssuedOn: f.IssuedOn,
		Body: f.Body, Note: f.Note, PrintedBy: own, PrintedOn: f.IssuedOn, Signature: map[string]string{"form": string(document.SignatureSeal)},
	}
	if f.Approver != "" {
		y.Approvers = []string{f.Approver}
	}
	for _, code := range f.To {
		y.To = append(y.To, draftOffice{code, c.officeName(code)})
	}
	for _, code := range f.CC {
		if !slices.Contains(f.To, code) {
			y.CC = append(y.CC, draftOffice{code, c.officeName(code)})
		}
	}
	for _, file := range files {
		y.Attachments = append(y.Attachments, draftAttached{strings.TrimSuffix(file.Name, path.Ext(file.Name)), file.Name})
	}
	return yaml.Marshal(y)
}

// previewPage shows the pages of a draft with what the checker measured.
type previewPage struct {
	ID       string
	Volume   *volume
	Pages    []pageView
	Measured *layout.Report
	Warnings []string
	Seal     seal.Record
	To, CC   []string
}

// ownDraft is the reader's own draft; anybody else's does not exist.
func (s *Server) ownDraft(c *call) (*draft, error) {
	d := s.drafts.get(c.variable("id"))
	if d == nil || d.account != c.account.ID {
		return nil, api.NewProblem(api.NotFound, "draft")
	}
	return d, nil
}

func (s *Server) showPreview(c *call) error {
	d, err := s.ownDraft(c)
	if err != nil {
		return err
	}
	p := previewPage{ID: c.variable("id"), Volume: d.volume}
	if p.Seal, err = s.c.Seals.Seal(c.Context(), d.seal); err != nil {
		return err
	}
	p.Pages = d.volume.Pages("/compose/" + p.ID)
	if spot := d.draft.Spot; spot != nil && spot.Page < len(p.Pages) {
		planned(p.Pages, []office.Stamp{{
			Page: spot.Page, X: spot.X - spot.Diameter/2, Y: spot.Y - spot.Diameter/2, W: spot.Diameter, H: spot.Diameter,
		}}, p.Seal.Name)
	}
	if p.Measured, err = d.volume.measure(); err != nil {
		return err
	}
	for _, w := range d.draft.Warnings { // which typefaces stand in is said by the measuring
		if !strings.HasPrefix(w, "face_substituted") {
			p.Warnings = append(p.Warnings, w)
		}
	}
	for _, r := range d.recipients {
		if r.Role == transport.To {
			p.To = append(p.To, c.officeName(r.Code))
		} else {
			p.CC = append(p.CC, c.officeName(r.Code))
		}
	}
	return c.show(http.StatusOK, "preview", p)
}

func (s *Server) draftImage(c *call) error {
	d, err := s.ownDraft(c)
	if err != nil {
		return err
	}
	return c.image(d.volume)
}

// ask asks an approver for the seal. From here on the document is kept, encrypted, until it is decided.
func (s *Server) ask(c *call) error {
	if err := c.form(); err != nil {
		return err
	}
	d, err := s.ownDraft(c)
	if err != nil {
		return err
	}
	made, err := s.c.Office.Ask(c.Context(), c.person(), office.SealAsk{
		Draft: d.draft, Seal: d.seal, Recipients: d.recipients, Urgency: office.UrgencyOf(d.draft.Metadata.Urgency),
	})
	if err != nil {
		return err
	}
	s.drafts.drop(c.variable("id"))
	s.shelf.put(dispatchKey(c, made.ID), d.volume)
	s.counted.forget(c.account.Org)
	return c.redirect("/approvals/" + made.ID + "?done=asked")
}

// Bounds of drafts that are being written.
const (
	draftLife   = 2 * time.Hour
	maxDrafts   = 200 // of everybody together
	maxOwnDraft = 10
)

// drafts keeps previews for a while, in memory: what matters is kept by the office service once a seal is asked for, and
// the form itself stays in the writer's browser.
type drafts struct {
	mu    sync.Mutex
	clock func() time.Time
	of    map[string]*draft
}

func newDrafts(clock func() time.Time) *drafts { return &drafts{clock: clock, of: map[string]*draft{}} }

func (k *drafts) get(id string) *draft {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of[id]
}

func (k *drafts) drop(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, id)
}

// put keeps a draft; the writer's oldest ones make room for it, and everybody's where there are too many.
func (k *drafts) put(id string, d *draft) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d.kept = k.clock()
	for old, other := range k.of {
		if k.clock().Sub(other.kept) > draftLife {
			delete(k.of, old)
		}
	}
	k.trim(maxOwnDraft, func(o *draft) bool { return o.account == d.account })
	k.trim(maxDrafts, func(*draft) bool { return true })
	k.of[id] = d
}

// trim drops the oldest of those that count until there is room for one more.
func (k *drafts) trim(most int, counts func(*draft) bool) {
	var ids []string
	for id, d := range k.of {
		if counts(d) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return k.of[a].kept.Compare(k.of[b].kept) })
	for len(ids) >= most {
		delete(k.of, ids[0])
		ids = ids[1:]
	}
}

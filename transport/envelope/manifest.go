package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/transport"
	"yinxin/verdict"
)

// ManifestSchema and HeaderVersion name what this package writes and reads.
const (
	ManifestSchema = "yinxin.manifest/1"
	HeaderVersion  = 1
)

// OwnCopy is the role of the sender's own part, by which it can always reopen what it sent.
const OwnCopy transport.Role = "sender"

// Bounds of headers and manifests.
const (
	// MaxParts is the number of parts: the recipients and the sender's own copy.
	MaxParts = transport.MaxRecipients + 1
	// MaxFiles is the number of files in one payload.
	MaxFiles = 256
	// MaxName is the length of a file's name in bytes.
	MaxName = 255
	// MaxHeader is the size of one header, MaxManifest of one signed manifest, in bytes.
	MaxHeader   = 4 << 10
	MaxManifest = 256 << 10
	// MaxFindings and MaxSeals bound the sender's report.
	MaxFindings = 32
	MaxSeals    = 64

	maxIndex    = 4 + MaxFiles*(2*MaxName+8) // the encrypted list of names
	maxFindText = 64
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// errFormat is wrapped by what readers of headers, manifests and indexes refuse; Parse turns it into a ContainerError.
var errFormat = errors.New("not in the canonical form")

// Header is what one recipient's part says in the clear.
type Header struct {
	Exchange string
	// Recipient is the office code.
	Recipient string
	// Certificate is the SM3 of the encryption certificate (DER) and Key that of its public key (65-byte point): how a
	// recipient finds its part.
	Certificate transport.Digest
	Key         transport.Digest
	// WrappedKey is the file key as a GB/T 35275 EnvelopedData for this one certificate.
	WrappedKey []byte
}

type wireHeader struct {
	V           int              `json:"v"`
	Exchange    string           `json:"exchange"`
	Recipient   string           `json:"recipient"`
	Certificate transport.Digest `json:"certificate_sm3"`
	Key         transport.Digest `json:"key_sm3"`
	WrappedKey  []byte           `json:"wrapped_key"`
}

func (h Header) marshal() ([]byte, error) {
	return canonical(wireHeader{HeaderVersion, h.Exchange, h.Recipient, h.Certificate, h.Key, h.WrappedKey}, MaxHeader)
}

// ParseHeader reads the canonical bytes of a header.
func ParseHeader(b []byte) (Header, error) {
	var w wireHeader
	if err := strict(b, &w, MaxHeader); err != nil {
		return Header{}, err
	}
	if w.V != HeaderVersion {
		return Header{}, verdict.Refuse(verdict.UnsupportedVersion, "header version %d", w.V)
	}
	if !transport.ValidCode(w.Exchange) || !transport.ValidCode(w.Recipient) {
		return Header{}, fmt.Errorf("%w: exchange or recipient is not a code", errFormat)
	}
	h := Header{w.Exchange, w.Recipient, w.Certificate, w.Key, w.WrappedKey}
	return h, isCanonical(b, h.marshal)
}

// Digests identify a file.
type Digests struct {
	SM3    transport.Digest `json:"sm3"`
	SHA256 transport.Digest `json:"sha256"`
}

// File is one file of the payload as the outside knows it: without its name.
type File struct {
	Size   int64            `json:"size"`
	SM3    transport.Digest `json:"sm3"`
	SHA256 transport.Digest `json:"sha256"`
}

// PayloadInfo fixes the encrypted payload.
type PayloadInfo struct {
	// Size is that of the ciphertext, PlainSize that of what is inside, in bytes.
	Size      int64 `json:"size"`
	PlainSize int64 `json:"plain_size"`
	// Root is the root over the chunk tags (see crypto/stream): it binds the content for whoever has the key. SHA256 is the
	// digest of the whole ciphertext, by which everybody else sees damage; it stands beside SM2 and SM3, not in their place.
	Root   transport.Digest `json:"root"`
	SHA256 transport.Digest `json:"sha256"`
}

// Addressee is one line of the dispatch list.
type Addressee struct {
	Code string         `json:"code"`
	Role transport.Role `json:"role"`
}

// Finding is the outcome of one check that the sender's side made before packing.
type Finding struct {
	// Check names it: "classification", "layout", "seals", "metadata" or another word of [A-Za-z0-9._-].
	Check   string         `json:"check"`
	Verdict verdict.Status `json:"verdict"`
	Reason  verdict.Reason `json:"reason"`
}

// The findings that a hub looks for.
const (
	FindingClassification = "classification"
	FindingLayout         = "layout"
	FindingSeals          = "seals"
)

// SealUse says who sealed and on whose approval.
type SealUse struct {
	// File is the place of the sealed file in the manifest's list.
	File int `json:"file"`
	// Seal is the seal's id, Signer the SM3 of the sealing certificate.
	Seal   string           `json:"seal"`
	Signer transport.Digest `json:"signer_sm3"`
	// Approval is the digest that the approval names, zero where the seal was used without one.
	Approval transport.Digest `json:"approval"`
}

// Report is what the sender's side checked before packing and vouches for by signing the manifest.
type Report struct {
	// Tool is the program and its version, as a code.
	Tool     string    `json:"tool"`
	Findings []Finding `json:"findings"`
	Seals    []SealUse `json:"seals"`
}

// Finding returns the outcome of a check, and false if the report has none of that name.
func (r Report) Finding(check string) (Finding, bool) {
	for _, f := range r.Findings {
		if f.Check == check {
			return f, true
		}
	}
	return Finding{}, false
}

// Manifest is what the sender signs for one recipient.
type Manifest struct {
	Exchange  string
	Sender    string
	Recipient string
	Role      transport.Role
	// Header is the SM3 of the recipient's header.
	Header transport.Digest
	// Document identifies the official document among the files; zero where there is none, as in a parcel of plain files.
	Document Digests
	Files    []File
	// Index is the SM3 of the encrypted list of names.
	Index   transport.Digest
	Payload PayloadInfo
	Urgency transport.Urgency
	// Sent is the sender's clock, a claim.
	Sent   time.Time
	Report Report
	// Recipients is the whole dispatch list; it stands in the sender's own copy alone.
	Recipients []Addressee
	// Refers names the earlier exchange that this one reissues, corrects or annuls; zero where there is none.
	Refers transport.Reference
	// Copies is how many official copies this recipient may print; zero leaves it to the hub's rule.
	Copies int
}

type wireManifest struct {
	Schema     string            `json:"schema"`
	Exchange   string            `json:"exchange"`
	Sender     string            `json:"sender"`
	Recipient  string            `json:"recipient"`
	Role       transport.Role    `json:"role"`
	Header     transport.Digest  `json:"header_sm3"`
	Document   Digests           `json:"document"`
	Files      []File            `json:"files"`
	Index      transport.Digest  `json:"index_sm3"`
	Payload    PayloadInfo       `json:"payload"`
	Urgency    transport.Urgency `json:"urgency"`
	Sent       string            `json:"sent"`
	Report     Report            `json:"report"`
	Recipients []Addressee       `json:"recipients"`

	Refers *transport.Reference `json:"refers,omitempty"`
	Copies int                  `json:"copies,omitempty"`
}

// Marshal gives the canonical bytes of the manifest, which are what the sender signs.
func (m Manifest) Marshal() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	r := m.Report
	r.Findings, r.Seals = list(r.Findings), list(r.Seals)
	return canonical(wireManifest{
		ManifestSchema, m.Exchange, m.Sender, m.Recipient, m.Role, m.Header, m.Document, list(m.Files), m.Index, m.Payload,
		m.Urgency, m.Sent.UTC().Format(timeLayout), r, list(m.Recipients), refers(m.Refers), m.Copies,
	}, MaxManifest)
}

// refers leaves a reference to nothing out of the manifest.
func refers(r transport.Reference) *transport.Reference {
	if r == (transport.Reference{}) {
		return nil
	}
	return &r
}

// ParseManifest reads the canonical bytes of a manifest, which nobody has verified yet.
func ParseManifest(b []byte) (Manifest, error) {
	var w wireManifest
	if err := strict(b, &w, MaxManifest); err != nil {
		return Manifest{}, err
	}
	if w.Schema != ManifestSchema {
		return Manifest{}, verdict.Refuse(verdict.UnsupportedVersion, "manifest schema %.40q", w.Schema)
	}
	sent, err := time.Parse(timeLayout, w.Sent)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: sent time", errFormat)
	}
	m := Manifest{
		w.Exchange, w.Sender, w.Recipient, w.Role, w.Header, w.Document, w.Files, w.Index, w.Payload,
		w.Urgency, sent, w.Report, w.Recipients,
		transport.Reference{},
		w.Copies,
	}
	if w.Refers != nil {
		m.Refers = *w.Refers
	}
	return m, isCanonical(b, m.Marshal)
}

func (m Manifest) validate() error {
	for _, code := range [...]string{m.Exchange, m.Sender, m.Recipient} {
		if !transport.ValidCode(code) {
			return fmt.Errorf("%w: %.80q is not a code", errFormat, code)
		}
	}
	if !validRole(m.Role, true) || (m.Role == OwnCopy) != (m.Recipient == m.Sender) {
		return fmt.Errorf("%w: role %.40q of %s in an envelope of %s", errFormat, string(m.Role), m.Recipient, m.Sender)
	}
	if (m.Role != OwnCopy && len(m.Recipients) > 0) || len(m.Recipients) > MaxParts {
		return fmt.Errorf("%w: dispatch list of %d in the part of a recipient", errFormat, len(m.Recipients))
	}
	listed := make(map[string]bool, len(m.Recipients))
	for _, a := range m.Recipients {
		if !transport.ValidCode(a.Code) || !validRole(a.Role, false) || listed[a.Code] {
			return fmt.Errorf("%w: dispatch list", errFormat)
		}
		listed[a.Code] = true
	}
	switch m.Urgency {
	case transport.Normal, transport.Urgent, transport.ExtraUrgent:
	default:
		return fmt.Errorf("%w: urgency %.40q", errFormat, string(m.Urgency))
	}
	if y := m.Sent.UTC().Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("%w: sent in the year %d", errFormat, y)
	}
	if err := m.Refers.Validate(); err != nil {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	if m.Copies < 0 || m.Copies > transport.MaxCopies {
		return fmt.Errorf("%w: %d copies", errFormat, m.Copies)
	}
	if err := m.validateFiles(); err != nil {
		return err
	}
	return m.Report.validate(len(m.Files))
}

func (m Manifest) validateFiles() error {
	if len(m.Files) == 0 || len(m.Files) > MaxFiles {
		return fmt.Errorf("%w: %d files", errFormat, len(m.Files))
	}
	found := m.Document == Digests{}
	var total int64
	for _, f := range m.Files {
		if f.Size < 0 || f.Size > m.Payload.PlainSize-total {
			return fmt.Errorf("%w: file of %d bytes in a payload of %d", errFormat, f.Size, m.Payload.PlainSize)
		}
		total += f.Size
		found = found || m.Document == Digests{f.SM3, f.SHA256}
	}
	if !found {
		return fmt.Errorf("%w: the document is none of the files", errFormat)
	}
	if head := m.Payload.PlainSize - total; head < 4 || head > maxIndex || m.Payload.Size <= m.Payload.PlainSize {
		return fmt.Errorf("%w: payload sizes", errFormat)
	}
	return nil
}

func (r Report) validate(files int) error {
	if (r.Tool != "" && !transport.ValidCode(r.Tool)) || len(r.Findings) > MaxFindings || len(r.Seals) > MaxSeals {
		return fmt.Errorf("%w: report", errFormat)
	}
	for _, f := range r.Findings {
		switch f.Verdict {
		case verdict.Passed, verdict.Failed, verdict.Indeterminate, verdict.Rejected, verdict.Unsigned:
		default:
			return fmt.Errorf("%w: finding with verdict %.40q", errFormat, string(f.Verdict))
		}
		if !transport.ValidCode(f.Check) || (f.Reason != "" && !f.Reason.Known()) {
			return fmt.Errorf("%w: finding %.40q", errFormat, f.Check)
		}
	}
	for _, s := range r.Seals {
		if s.File < 0 || s.File >= files || len(s.Seal) > maxFindText || !plain(s.Seal) {
			return fmt.Errorf("%w: seal %.40q of file %d", errFormat, s.Seal, s.File)
		}
	}
	return nil
}

func validRole(r transport.Role, own bool) bool {
	switch r {
	case transport.To, transport.CC, transport.ForArchive:
		return true
	}
	return own && r == OwnCopy
}

// SafeName reports whether a file may go by this name: a plain base name that means the same on every system.
func SafeName(name string) bool {
	if name == "" || len(name) > MaxName || !plain(name) || strings.ContainsAny(name, `/\:*?"<>|`) {
		return false
	}
	if name[0] == '.' || name[0] == ' ' || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return false
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base = strings.TrimRight(base, " "); base {
	case "CON", "PRN", "AUX", "NUL":
		return false
	}
	device := len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT"))
	return !device || base[3] < '0' || base[3] > '9'
}

// plain: valid UTF-8 without control, format (such as direction overrides) or line-separating characters.
func plain(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
	}) < 0
}

// index is the encrypted list of names that begins the plaintext.
type index struct {
	V     int      `json:"v"`
	Names []string `json:"names"`
}

func marshalIndex(names []string) ([]byte, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	return canonical(index{HeaderVersion, names}, maxIndex-4)
}

func parseIndex(b []byte) ([]string, error) {
	var x index
	if err := strict(b, &x, maxIndex-4); err != nil {
		return nil, err
	}
	if x.V != HeaderVersion {
		return nil, verdict.Refuse(verdict.UnsupportedVersion, "index version %d", x.V)
	}
	return x.Names, isCanonical(b, func() ([]byte, error) { return marshalIndex(x.Names) })
}

func checkNames(names []string) error {
	if len(names) == 0 || len(names) > MaxFiles {
		return fmt.Errorf("%w: %d files", errFormat, len(names))
	}
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if !SafeName(n) {
			return fmt.Errorf("%w: file name %.300q", errFormat, n)
		}
		folded := strings.ToLower(strings.ToUpper(n))
		if seen[folded] {
			return fmt.Errorf("%w: two files named %.300q", errFormat, n)
		}
		seen[folded] = true
	}
	return nil
}

// list keeps an empty list from being written as null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// canonical writes v as compact JSON without escaping HTML characters.
func canonical(v any, limit int) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(out) > limit {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", errFormat, len(out), limit)
	}
	return out, nil
}

// strict reads exactly one JSON value with known fields only.
func strict(b []byte, v any, limit int) error {
	if len(b) > limit {
		return fmt.Errorf("%w: %d bytes, limit %d", errFormat, len(b), limit)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: not the JSON of this format", errFormat)
	}
	return nil
}

// isCanonical refuses every other spelling of what b says; that includes bytes after its end.
func isCanonical(b []byte, marshal func() ([]byte, error)) error {
	again, err := marshal()
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errFormat
	}
	return nil
}

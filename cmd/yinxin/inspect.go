package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/envelope"
)

// inspectSchema names the JSON of inspect.
const inspectSchema = "yinxin.inspect/1"

func newInspectCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "inspect FILE...", Short: "show what a file is, without judging it",
		Long: "Shows what a file says of itself: OFD, PDF, seal (.esl), certificate, request, revocation list, OCSP and time-stamp\n" +
			"requests, answers and tokens, signed or encrypted message, envelope, receipt, record package (folder or zip). Nothing is verified: what it shows are claims until 'yinxin verify' has\n" +
			"passed. It never opens what is encrypted.",
		Example: "  yinxin inspect notice.ofd\n  yinxin inspect exchange.yxe --json",
		Args:    atLeastOne("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			views := []inspection{}
			for _, path := range args {
				v, err := inspectPath(path)
				if err != nil {
					return err
				}
				views = append(views, v)
			}
			if jsonFlag(cmd) {
				return e.printJSON(struct {
					Schema string       `json:"schema"`
					Files  []inspection `json:"files"`
				}{inspectSchema, views})
			}
			for _, v := range views {
				v.print(e.stdout)
			}
			return nil
		},
	}
}

// inspection is what inspect says of one file: exactly one of the parts is there, or none of an unknown file.
type inspection struct {
	File string `json:"file"`
	// Type is a kind of the verifier, or request, crl, ocsp_request, ocsp_response, timestamp, timestamp_request,
	// timestamp_response, public_key or private_key.
	Type string `json:"type"`
	Size int64  `json:"size"`
	SM3  string `json:"sm3,omitempty"`

	Document     *documentView     `json:"document,omitempty"`
	Seal         *sealView         `json:"seal,omitempty"`
	Certificates []certificateView `json:"certificates,omitempty"`
	Request      *requestView      `json:"request,omitempty"`
	CRL          *crlView          `json:"crl,omitempty"`
	OCSP         *ocspView         `json:"ocsp,omitempty"`
	TimeStamp    *timeStampView    `json:"timestamp,omitempty"`
	Message      *messageView      `json:"message,omitempty"`
	Envelope     *envelopeView     `json:"envelope,omitempty"`
	Receipt      *receiptView      `json:"receipt,omitempty"`
	Package      *packageView      `json:"package,omitempty"`
	Evidence     *bundleView       `json:"evidence,omitempty"`
}

// inspectPath inspects a file, or the folder of a record package or of a bundle of evidence.
func inspectPath(path string) (inspection, error) {
	v := inspection{File: path}
	st, err := os.Stat(path)
	if err != nil {
		return v, err
	}
	if st.IsDir() {
		return v, v.folder(os.DirFS(path))
	}
	v.Size = st.Size()
	head, err := headOf(path)
	if err != nil {
		return v, err
	}
	if envelope.IsEnvelope(head) { // of any size: only its outside is read
		return v, v.envelopeFile(path)
	}
	if st.Mode().IsRegular() && bytes.HasPrefix(head, []byte("PK")) {
		if shown, err := v.large(path); shown || err != nil {
			return v, err
		}
	}
	data, err := readInput(path)
	if err != nil {
		return v, err
	}
	sum := gm.SM3(data)
	v.SM3 = hex.EncodeToString(sum[:])
	if err := v.content(data); err != nil {
		return v, fmt.Errorf("inspect %s: %w", path, err)
	}
	return v, nil
}

// large shows a file as a stream where it is of a kind that is read so, and says whether it was.
func (v *inspection) large(path string) (shown bool, err error) {
	f, err := openInput(path)
	if err != nil {
		return false, err
	}
	defer closing(&err, f)
	if kind, err := verify.RecogniseReader(f, f.size); err != nil || kind != verify.KindOFD {
		return false, err
	}
	h := gm.NewSM3()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.size)); err != nil {
		return true, err
	}
	v.Type, v.SM3 = string(verify.KindOFD), hex.EncodeToString(h.Sum(nil))
	if err := v.ofd(f, f.size); err != nil {
		return true, fmt.Errorf("inspect %s: %w", path, err)
	}
	return true, nil
}

func (v *inspection) folder(dir fs.FS) error {
	if archive.IsBundle(dir) {
		return v.bundle(dir)
	}
	manifest, err := fs.ReadFile(dir, archive.ManifestName)
	if err != nil {
		return fmt.Errorf("inspect %s: no record package: %w", v.File, err)
	}
	v.Type = string(verify.KindPackage)
	return v.manifest(manifest)
}

// bundle shows the list of a bundle of evidence.
func (v *inspection) bundle(dir fs.FS) error {
	v.Type = string(verify.KindEvidence)
	text, err := fs.ReadFile(dir, archive.BundleName)
	if err != nil {
		return err
	}
	list, err := archive.ParseBundle(text)
	v.Evidence = (*bundleView)(list)
	return err
}

// print writes the inspection for people.
func (v *inspection) print(w io.Writer) {
	printLine(w, "%s: %s", v.File, v.Type)
	if v.Size > 0 {
		printLine(w, ", %d bytes", v.Size)
	}
	fmt.Fprintln(w)
	if v.SM3 != "" {
		printLine(w, "  sm3: %s\n", v.SM3)
	}
	for _, part := range []interface {
		print(w io.Writer, indent string)
	}{
		v.Document, v.Seal, v.Request, v.CRL, v.OCSP, v.TimeStamp, v.Message, v.Envelope, v.Receipt, v.Package, v.Evidence,
	} {
		part.print(w, "  ")
	}
	for _, c := range v.Certificates {
		c.print(w, "  ")
	}
}

// certificateView is a certificate for people and programs.
type certificateView struct {
	Subject           string    `json:"subject"`
	Issuer            string    `json:"issuer"`
	Serial            string    `json:"serial"`
	Code              string    `json:"code,omitempty"`
	NotBefore         time.Time `json:"not_before"`
	NotAfter          time.Time `json:"not_after"`
	Uses              []string  `json:"uses"`
	SM3               string    `json:"sm3"`
	RevocationSources []string  `json:"revocation_sources"`
}

func viewCertificate(c *cert.Certificate) certificateView {
	sum := c.SM3()
	v := certificateView{
		Subject: c.SubjectText(), Issuer: c.IssuerText(), Serial: c.SerialText(), Code: transport.CodeOf(c.Subject),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, Uses: []string{}, SM3: hex.EncodeToString(sum[:]), RevocationSources: []string{},
	}
	for _, use := range []cert.Use{cert.UseSign, cert.UseEncrypt, cert.UseMake, cert.UseIssue, cert.UseTimestamp} {
		if c.CheckUse(use) == nil {
			v.Uses = append(v.Uses, use.String())
		}
	}
	v.RevocationSources = append(v.RevocationSources, c.RevocationSources()...)
	return v
}

func (v certificateView) print(w io.Writer, indent string) {
	printLine(w, "%s%s\n", indent, v.Subject)
	printLine(w, "%s  issued by %s, serial %s\n", indent, v.Issuer, v.Serial)
	printLine(w, "%s  valid %s to %s, for %s\n", indent, v.NotBefore.Format(time.DateOnly), v.NotAfter.Format(time.DateOnly), orNone(strings.Join(v.Uses, ", ")))
	if v.Code != "" {
		printLine(w, "%s  office %s\n", indent, v.Code)
	}
	printLine(w, "%s  sm3 %s, revocation sources: %s\n", indent, v.SM3, orNone(strings.Join(v.RevocationSources, ", ")))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

package main

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/examples"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// worldMain is the command world of the scripts: world [FOLDER]. It leaves key files, certificates and a seal of an
// invented office and of two recipients, and documents that no command of yinxin would make.
func worldMain(args []string) int {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	w := &worldBuilder{dir: dir}
	if err := w.build(); err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		return 1
	}
	return 0
}

type worldBuilder struct {
	dir string
	ca  *cert.Authority
	err error
}

func (w *worldBuilder) write(name string, data []byte, mode os.FileMode) {
	w.err = errors.Join(w.err, os.WriteFile(filepath.Join(w.dir, name), data, mode))
}

// key makes a key file.
func (w *worldBuilder) key(name, passphrase string) *gm.PrivateKey {
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		w.err = errors.Join(w.err, err)
		return nil
	}
	w.save(name, k, passphrase)
	return k
}

func (w *worldBuilder) save(name string, k *gm.PrivateKey, passphrase string) {
	text, err := gm.MarshalPKCS8PEM(k, []byte(passphrase))
	w.err = errors.Join(w.err, err)
	w.write(name, text, 0o600)
}

type issuer func(pkix.Name, *ecdsa.PublicKey, cert.IssueOptions) (*cert.Certificate, error)

// certify makes a certificate file.
func (w *worldBuilder) certify(name, code, title string, k *gm.PrivateKey, issue issuer) *cert.Certificate {
	subject := cert.Subject(title, "")
	subject.SerialNumber = code
	c, err := issue(subject, k.PublicKey(), cert.IssueOptions{})
	if err != nil {
		w.err = errors.Join(w.err, err)
		return nil
	}
	w.write(name, c.PEM(), 0o644)
	return c
}

func (w *worldBuilder) build() (err error) {
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	w.ca, err = cert.NewRoot(cert.Station{Signer: w.key("ca.key", "")}, cert.Subject("测试根证书", ""), cert.IssueOptions{})
	if err != nil {
		return err
	}
	w.write("root.pem", w.ca.Certificate.PEM(), 0o644)
	const office = "云溪市人民政府办公室"
	sign := w.key("sign.key", "")
	w.save("locked.key", sign, "a passphrase")
	signing := w.certify("sign.pem", "YXZF", office, sign, w.ca.IssueSigning)
	recipient := w.certify("jy-enc.pem", "YXJY", "云溪市教育局", w.key("jy.key", ""), w.ca.IssueEncryption)
	w.certify("cz-enc.pem", "YXCZ", "云溪市财政局", w.key("cz.key", ""), w.ca.IssueEncryption)
	sealing := w.certify("seal.pem", "YXZF", office, w.key("seal.key", ""), w.ca.IssueSigning)
	if w.err != nil {
		return w.err
	}
	if err := w.seal(office, sealing); err != nil {
		return err
	}
	if err := w.secrets(); err != nil {
		return err
	}
	if err := w.unchecked(cms.SignOptions{Signer: sign, Certificate: signing, Time: time.Now(), Rand: rand.Reader}, recipient); err != nil {
		return err
	}
	if err := w.moved(); err != nil {
		return err
	}
	w.workbook("report.xlsx", "台账")
	w.workbook("secret.xlsx", "机密★5年")
	return w.err
}

// unchecked packs a classified text as a sender would whose software does not look.
func (w *worldBuilder) unchecked(by cms.SignOptions, recipient *cert.Certificate) error {
	var out bytes.Buffer
	_, err := envelope.Pack(&out, envelope.PackOptions{
		Exchange: "0194f3c2-7d00-7000-8000-000000000001", Sender: "YXZF", Sign: by, Document: -1,
		Files:      []envelope.Source{{Name: "note.txt", Content: strings.NewReader("一般\n")}, {Name: "plan.txt", Content: strings.NewReader("秘密★1年\n")}},
		Recipients: []envelope.Recipient{{Code: "YXJY", Role: transport.To, Certificate: recipient}},
		Report:     envelope.Report{Tool: "other", Findings: []envelope.Finding{{Check: envelope.FindingClassification, Verdict: verdict.Passed}}},
	})
	w.write("unchecked.yxe", out.Bytes(), 0o644)
	return err
}

func (w *worldBuilder) seal(office string, signer *cert.Certificate) error {
	key := w.key("maker.key", "")
	maker := w.certify("maker.pem", "", "测试制章者", key, w.ca.IssueMaker)
	drawn, err := picture.Draw(picture.Organisation{Name: office}, fonts.Embedded())
	if err != nil {
		return err
	}
	png, err := drawn.PNG(picture.DefaultDPI)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	made, err := seal.Make(seal.MakeOptions{
		Maker: key, MakerCert: maker, Signers: []*cert.Certificate{signer}, Name: office, Rand: rand.Reader,
		Picture: ses.Picture{Type: "PNG", Data: png, Width: 42, Height: 42}, From: now.Add(-time.Hour), To: now.Add(24 * time.Hour),
	})
	if err != nil {
		return err
	}
	w.write("office.esl", made.Raw, 0o644)
	return nil
}

// moved writes the request of the examples with the text of its first page 15 mm further right, as nobody composes it.
func (w *worldBuilder) moved() error {
	text, err := examples.Files.ReadFile("request.yaml")
	if err != nil {
		return err
	}
	d, err := document.Parse(text)
	if err != nil {
		return err
	}
	if err := d.LoadPictures(examples.Files.ReadFile); err != nil {
		return err
	}
	pages, err := layout.Compose(d, fonts.Embedded())
	if err != nil {
		return err
	}
	for i := range pages.Pages[0].Runs {
		pages.Pages[0].Runs[i].X += 15
	}
	var attached []ofd.Attachment
	for _, a := range d.Metadata.Attachments {
		if a.File == "" {
			continue
		}
		data, err := examples.Files.ReadFile(a.File)
		if err != nil {
			return err
		}
		attached = append(attached, ofd.Attachment{Name: a.File, Data: data})
	}
	var out bytes.Buffer
	if err := ofd.Write(&out, pages, d.Metadata, attached); err != nil {
		return err
	}
	w.write("moved.ofd", out.Bytes(), 0o644)
	return nil
}

// workbook writes a ZIP as office programs do.
func (w *worldBuilder) workbook(name, cell string) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for entry, text := range map[string]string{
		"[Content_Types].xml": "<Types/>", "xl/sharedStrings.xml": "<sst><si><t>" + cell + "</t></si></sst>",
	} {
		f, err := z.Create(entry)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		w.err = errors.Join(w.err, err)
	}
	w.err = errors.Join(w.err, z.Close())
	w.write(name, out.Bytes(), 0o644)
}

// secrets writes an OFD with a mark on its page and a PDF with one in its title. The composer refuses both, so a page is
// set by hand, as other software would.
func (w *worldBuilder) secrets() error {
	faces := fonts.Embedded()
	face, ok := faces.Resolve(fonts.FangSong, '秘')
	if !ok {
		return errors.New("no face")
	}
	text := "秘密★10年"
	run := layout.Run{Element: layout.Body, X: 28, Y: 40, Face: face, Size: 5.6, Text: text}
	for range []rune(text) {
		run.Advances = append(run.Advances, run.Size)
	}
	pages := &layout.Pages{Pages: []layout.Page{{Width: layout.PageWidth, Height: layout.PageHeight, Runs: []layout.Run{run}}}}
	m := document.Metadata{Title: "测试"}
	var out bytes.Buffer
	if err := ofd.Write(&out, pages, m, nil); err != nil {
		return err
	}
	w.write("secret.ofd", out.Bytes(), 0o644)
	out.Reset()
	m.Title = "测试 机密★5年"
	if err := pdf.Draw(&out, pages, m); err != nil {
		return err
	}
	w.write("secret.pdf", out.Bytes(), 0o644)
	return nil
}

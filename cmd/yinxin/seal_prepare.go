package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/seal/ses"
)

// planSchema names the form of a prepared sealing.
const planSchema = "yinxin.prepared-seal/1"

// maxPlan bounds a prepared sealing in bytes; a seal is most of it.
const maxPlan = 8 << 20

// planLife is how long a prepared sealing may be approved and signed: as long as an approval. The time that the seal will state
// is the time of preparing, so it must not be an old one.
const planLife = 24 * time.Hour

// maxAhead is how far another machine's clock may be ahead.
const maxAhead = 5 * time.Minute

// plan is a sealing that is prepared and not signed: with the unsealed document it gives every byte that will be signed.
type plan struct {
	Schema string `json:"schema"`
	Type   string `json:"type"`
	// Document is the SM3 of the unsealed document, Digest what the key will be given (seal.KeyDigest), both in hex.
	Document string `json:"document_sm3"`
	Digest   string `json:"digest"`
	// SealName, SealID and Signer are for people: the bytes below tell them.
	SealName string       `json:"seal"`
	SealID   string       `json:"seal_id"`
	Signer   string       `json:"signer"`
	Time     time.Time    `json:"time"`
	Stamps   []seal.Stamp `json:"stamps"`
	Locked   bool         `json:"locked"`
	Profile  string       `json:"profile"`
	// ESL, Certificate and Chain are DER.
	ESL         []byte   `json:"esl"`
	Certificate []byte   `json:"certificate"`
	Chain       [][]byte `json:"chain,omitempty"`
}

func newSealPrepareCmd(e *env) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use: "prepare IN PLAN", Short: "fix a sealing that another person must approve", Args: exactly(2, "IN and PLAN"),
		Long: "Fixes place, time and all that will be signed, signs nothing, and writes that to PLAN. Another person looks at IN and at what\n" +
			"PLAN says, and approves it at the key store (keys approve-seal --prepared PLAN --document IN); with the ID that comes back it is sealed\n" +
			"(seal apply --prepared PLAN --approval ID), within 24 hours. Both compute the digest anew from IN, so exactly what was looked at is sealed.\n" +
			"For a key made with --approval-required there is no other way. The certificate is that of --cert, or the one kept with --key, or the\n" +
			"only one that the seal lists. " + keyHelp,
		Example: "  yinxin seal prepare --seal jy.esl --on-date notice.ofd notice.plan\n" +
			"  yinxin keys approve-seal seal-jy --prepared notice.plan --document notice.ofd --keys vault:$VAULT_ADDR/gm\n" +
			"  yinxin seal apply --prepared notice.plan --key vault:seal-jy --approval ID notice.ofd sealed.ofd",
		RunE: func(cmd *cobra.Command, args []string) error { return e.prepareSeal(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	f.places.add(cmd)
	f.addWhat(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that will seal, for the certificates kept with it")
	return cmd
}

func (e *env) prepareSeal(cmd *cobra.Command, f applyFlags, in, out string) (err error) {
	if f.seal == "" {
		return usage("--seal is required")
	}
	if err := errors.Join(f.places.check(), apart(out, in, f.seal)); err != nil {
		return err
	}
	s := &sealing{flags: f, at: e.now().UTC().Truncate(time.Second)}
	if s.seal, err = readSeal(f.seal); err != nil {
		return err
	}
	if err := checkMade(f.seal, s.seal, cert.Moment{Now: s.at}); err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	if err := s.takeCertificate(cmd.Context(), ring); err != nil {
		return err
	}
	p, err := s.planned(in)
	if err != nil {
		return fmt.Errorf("prepare sealing of %s: %w", in, err)
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(out, append(data, '\n')); err != nil {
		return err
	}
	if jsonFlag(cmd) {
		return e.printJSON(p)
	}
	return e.result(false, p, "%s\t%s (%s)\n%sdigest: %s\n", out, p.SealName, p.SealID, p.text(), p.Digest)
}

// text shows what a plan is about.
func (p *plan) text() string {
	var text strings.Builder
	text.WriteString(placeLines(placesOf(p.Stamps)))
	fmt.Fprintf(&text, "signer: %s\ntime: %s\ndocument: SM3 %s\n", p.Signer, moment(p.Time), p.Document)
	return text.String()
}

// takeCertificate finds the certificate of the key that will seal, without using that key.
func (s *sealing) takeCertificate(ctx context.Context, ring *keyRing) error {
	if s.flags.key != "" {
		return s.takeSigner(ctx, ring)
	}
	if s.flags.cert != "" {
		certs, err := readCertificates(s.flags.cert)
		if err != nil {
			return err
		}
		s.cert, s.chain = certs[0], certs[1:]
		return nil
	}
	listed := s.listed()
	if len(listed) != 1 {
		return usage("the seal lists %d certificates; say with --cert or --key who will seal", len(listed))
	}
	s.cert = listed[0]
	return nil
}

// planned prepares the sealing of a document and tells it as a plan.
func (s *sealing) planned(in string) (p *plan, err error) {
	file, err := openInput(in)
	if err != nil {
		return nil, err
	}
	defer closing(&err, file)
	d, err := s.ready(in, file)
	if err != nil {
		return nil, err
	}
	digest, err := seal.KeyDigest(d.prepared, s.cert)
	if err != nil {
		return nil, err
	}
	sum, err := sm3Of(file)
	if err != nil {
		return nil, err
	}
	p = &plan{
		Schema: planSchema, Type: string(d.kind), Document: sum, Digest: hex.EncodeToString(digest[:]),
		SealName: s.seal.Info.Property.Name, SealID: s.seal.Info.SealID, Signer: s.cert.SubjectText(), Time: s.at, Stamps: d.stamps,
		Locked: s.flags.lock, Profile: s.flags.profile, ESL: s.seal.Raw, Certificate: s.cert.Raw,
	}
	for _, c := range s.chain {
		p.Chain = append(p.Chain, c.Raw)
	}
	return p, nil
}

// sm3Of gives the SM3 of an open document in hex, sm3OfFile that of one by its name.
func sm3Of(file *inputFile) (string, error) {
	h := gm.NewSM3()
	_, err := io.Copy(h, io.NewSectionReader(file, 0, file.size))
	return hex.EncodeToString(h.Sum(nil)), err
}

func sm3OfFile(path string) (sum string, err error) {
	file, err := openInput(path)
	if err != nil {
		return "", err
	}
	defer closing(&err, file)
	return sm3Of(file)
}

// parsePlan reads a plan strictly. What it says for people is not looked at: sealing tells that anew.
func parsePlan(data []byte) (*plan, *sealing, error) {
	p := &plan{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows")
	}
	if p.Schema != planSchema || len(p.Stamps) == 0 {
		return nil, nil, fmt.Errorf("it is no %s with places", planSchema)
	}
	for _, sum := range []string{p.Document, p.Digest} {
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != len(gm.Digest{}) {
			return nil, nil, errors.New("a digest in it is none")
		}
	}
	if _, err := parseProfile(p.Profile); err != nil {
		return nil, nil, fmt.Errorf("its profile %q is not known", p.Profile)
	}
	s := &sealing{flags: applyFlags{lock: p.Locked, profile: p.Profile}, at: p.Time, stamps: p.Stamps}
	var err error
	if s.seal, err = ses.ParseSeal(p.ESL); err != nil {
		return nil, nil, err
	}
	if s.cert, err = cert.Parse(p.Certificate); err != nil {
		return nil, nil, err
	}
	for _, der := range p.Chain {
		c, err := cert.Parse(der)
		if err != nil {
			return nil, nil, err
		}
		s.chain = append(s.chain, c)
	}
	return p, s, nil
}

// readPlan reads a plan that may still be approved and signed.
func (e *env) readPlan(path string) (*plan, *sealing, error) {
	data, err := readWithin(path, maxPlan)
	if err != nil {
		return nil, nil, err
	}
	p, s, err := parsePlan(data)
	if err != nil {
		return nil, nil, refuse("malformed", exitNotFound, "%s is no prepared sealing: %w", path, err)
	}
	if age := e.now().Sub(p.Time); age > planLife || age < -maxAhead {
		return nil, nil, refuse("refused", exitRefused, "%s was prepared for %s; prepare it again: a seal states the time of its preparing", path, moment(p.Time))
	}
	return p, s, checkMade(path, s.seal, cert.Moment{Now: s.at})
}

// check computes the plan anew from the document, and refuses one that is for other bytes.
func (p *plan) check(path, in string, s *sealing) error {
	other := refuse("refused", exitRefused, "%s was not prepared for this %s", path, in)
	if sum, err := sm3OfFile(in); err != nil || sum != p.Document {
		return cmp.Or(err, other)
	}
	again, err := s.planned(in)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if again.Document != p.Document || again.Digest != p.Digest || again.Type != p.Type {
		return other
	}
	*p = *again // what people are shown is what the bytes tell
	return nil
}

// applyPlan seals what was prepared and approved.
func (e *env) applyPlan(cmd *cobra.Command, f applyFlags, in, out string) (err error) {
	p, s, err := e.readPlan(f.prepared)
	if err != nil {
		return err
	}
	if err := p.check(f.prepared, in, s); err != nil {
		return err
	}
	s.flags.keys, s.flags.key, s.flags.stamp, s.flags.approval = f.keys, f.key, f.stamp, f.approval
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	digest, err := hex.DecodeString(p.Digest)
	if err != nil {
		return err
	}
	if s.signer, err = ring.approvedSigner(cmd.Context(), f.key, gm.Digest(digest), f.approval, f.who); err != nil {
		return err
	}
	if err := s.cert.MatchesKey(s.signer.public); err != nil {
		return fmt.Errorf("%s is for another version of the key: %w", f.prepared, err)
	}
	return e.sealFile(cmd, s, in, out)
}

// approvePlan gives the digest of a prepared sealing, computed anew from the document that the approver has.
func (e *env) approvePlan(path, in string) (digest []byte, p *plan, err error) {
	p, s, err := e.readPlan(path)
	if err != nil {
		return nil, nil, err
	}
	if err := p.check(path, in, s); err != nil {
		return nil, nil, err
	}
	digest, err = hex.DecodeString(p.Digest)
	return digest, p, err
}

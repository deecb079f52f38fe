package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
)

// ownKey is what an office needs that keeps its own keys: then the hub only carries, and the statement is signed here.
type ownKey struct {
	keyFlags
	key, cert string
}

func (o *ownKey) add(cmd *cobra.Command) {
	o.keyFlags.add(cmd)
	cmd.Flags().StringVar(&o.key, "key", "", "of an office that keeps its own keys: the signing key (see 'yinxin pack --help' for KEY)")
	cmd.Flags().StringVar(&o.cert, "cert", "", "its certificate, where the store does not hold it")
}

// statement signs what the office says about a delivery.
func (e *env) statement(ctx context.Context, o ownKey, d api.Delivery, st receipt.Statement) (der []byte, err error) {
	ring := e.keyRing(o.keyFlags)
	defer closing(&err, ring)
	h, err := ring.signer(ctx, o.key, keys.PurposeSign)
	if err != nil {
		return nil, err
	}
	leaf, chain, err := h.certificate(o.cert)
	if err != nil {
		return nil, err
	}
	st.Time, st.Exchange, st.Sender, st.Recipient = e.now().UTC(), d.Exchange, d.Sender, d.Recipient
	if by, of := transport.CodeOf(leaf.Subject), st.Party(); by != of {
		return nil, refuse(string(api.SenderMismatch), exitRefused, "the key is certified for the office %q, and %s is to state this", by, of)
	}
	if st.DocumentSM3, err = transport.ParseDigest(d.DocumentSM3); err != nil {
		return nil, err
	}
	if st.DocumentSHA256, err = transport.ParseDigest(d.DocumentSHA256); err != nil {
		return nil, err
	}
	return st.Sign(cms.SignOptions{Signer: h.signer, Certificate: leaf, Chain: chain, Time: st.Time, Rand: e.rand})
}

// act signs a statement about a delivery and hands it in.
func (e *env) act(
	ctx context.Context, id string, o ownKey, st receipt.Statement,
	do func(ctx context.Context, key, delivery string, statement []byte) (api.Moved, error), c *client.Client,
) (api.Delivery, error) {
	d, err := c.Delivery(ctx, id)
	if err != nil {
		return d, err
	}
	der, err := e.statement(ctx, o, d, st)
	if err != nil {
		return d, err
	}
	key, err := c.NewKey()
	if err != nil {
		return d, err
	}
	moved, err := do(ctx, key, id, der)
	return moved.Delivery, err
}

// actOnSent signs a statement about one recipient's part of what the office sent, and hands it in.
func (e *env) actOnSent(
	ctx context.Context, exchange, recipient string, o ownKey, st receipt.Statement,
	do func(ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error), c *client.Client,
) (api.Delivery, error) {
	x, err := c.Track(ctx, exchange)
	if err != nil {
		return api.Delivery{}, err
	}
	der, err := e.statement(ctx, o, api.Delivery{
		Exchange: x.ID, Sender: x.Sender, Recipient: recipient, DocumentSM3: x.DocumentSM3, DocumentSHA256: x.DocumentSHA256,
	}, st)
	if err != nil {
		return api.Delivery{}, err
	}
	key, err := c.NewKey()
	if err != nil {
		return api.Delivery{}, err
	}
	moved, err := do(ctx, key, exchange, recipient, der)
	return moved.Delivery, err
}

// fetchOwn takes a delivery over with the office's own signature and saves its envelope, for 'yinxin open'.
func (e *env) fetchOwn(ctx context.Context, id, out string, o ownKey, asJSON bool) (err error) {
	c, err := e.connect()
	if err != nil {
		return err
	}
	d, err := c.Delivery(ctx, id)
	if err != nil {
		return err
	}
	if d.State == string(transport.Available) {
		if _, err := e.act(ctx, id, o, receipt.Statement{Event: transport.ContentHandover}, c.Open, c); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	path := filepath.Join(out, "exchange.yxe")
	f, err := durable.Disk{}.CreateTemp(out, 0o600)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := c.Envelope(ctx, id, f); err != nil {
		return err
	}
	if err := f.CommitExclusive(path); err != nil {
		return err
	}
	return e.result(asJSON, map[string]string{"delivery": id, "envelope": path}, "%s\n", path)
}

func newOrgCertifyCmd(e *env) *cobra.Command {
	var o api.Organisation
	var csr, encryption, out string
	cmd := &cobra.Command{
		Use:   "certify CODE",
		Short: "register an office that keeps its own keys: certifies them",
		Long: "Takes the office's PKCS#10 request ('yinxin keys csr') and the public key of its encryption pair ('yinxin keys show --public'), has both\n" +
			"certified by the hub's authority and enters the office in the directory. Writes CODE-sign.pem and CODE-encrypt.pem.",
		Example: "  yinxin org certify OFFICE-D --name 'OFFICE NAME' --csr sign.csr --encryption-key decrypt.pub --out certs/",
		Args:    exactly(1, "a code"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Code = args[0]
			return e.certify(cmd.Context(), o, csr, encryption, out, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&o.Name, "name", "", "full name, as it stands on documents")
	cmd.Flags().StringVar(&o.Parent, "parent", "", "code of the superior office")
	cmd.Flags().StringVar(&csr, "csr", "", "PKCS#10 request of the signing key")
	cmd.Flags().StringVar(&encryption, "encryption-key", "", "public key of the encryption pair (PEM)")
	cmd.Flags().StringVar(&out, "out", ".", "folder for the two certificates")
	return cmd
}

func (e *env) certify(ctx context.Context, o api.Organisation, csr, encryption, out string, asJSON bool) error {
	if csr == "" || encryption == "" {
		return usage("--csr and --encryption-key are required")
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	request, err := readInput(csr)
	if err != nil {
		return err
	}
	pub, err := readPublicKey(encryption)
	if err != nil {
		return err
	}
	made, err := c.Certify(ctx, api.CertifyRequest{Organisation: o, SigningRequest: request, EncryptionKey: gm.MarshalPublicKey(pub)})
	if err != nil {
		return err
	}
	return e.saveCertificates(made, out, asJSON)
}

// saveCertificates writes the two certificates of an office, each with its issuers.
func (e *env) saveCertificates(o api.Organisation, out string, asJSON bool) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	files := map[string]string{"signing": filepath.Join(out, o.Code+"-sign.pem"), "encryption": filepath.Join(out, o.Code+"-encrypt.pem")}
	if err := writeFile(files["signing"], []byte(o.SigningCert)); err != nil {
		return err
	}
	if err := writeFile(files["encryption"], []byte(o.EncryptionCert)); err != nil {
		return err
	}
	return e.result(asJSON, files, "%s\n%s\n", files["signing"], files["encryption"])
}

func newOrgShowCmd(e *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "show CODE",
		Short:   "show an office; --out saves its certificates, for 'yinxin pack --to'",
		Example: "  yinxin org show OFFICE-A --out certs/",
		Args:    exactly(1, "a code"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			o, err := c.Organisation(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if out != "" {
				return e.saveCertificates(o, out, jsonFlag(cmd))
			}
			if jsonFlag(cmd) {
				return e.result(true, o, "")
			}
			printLine(e.stdout, "%s  %s  %s  parent %s\n", o.Code, o.Status, o.Name, o.Parent)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder for the two certificates")
	return cmd
}

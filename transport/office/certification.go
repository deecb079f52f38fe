package office

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"

	"yinxin/crypto/cert"
	"yinxin/transport"
	"yinxin/transport/directory"
)

// admit refuses an office that is there already, or whose code or name is taken.
func (r *Registrar) admit(ctx context.Context, o directory.Organisation) error {
	for _, code := range r.Reserved {
		if strings.EqualFold(code, o.Code) && code != o.Code {
			return fmt.Errorf("%w: code %s, which is %s", directory.ErrConflict, o.Code, code)
		}
	}
	if _, err := r.Offices.Organisation(ctx, o.Code); err == nil {
		return directory.ErrConflict
	} else if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	return r.Offices.Admit(ctx, o)
}

// checkOwner refuses a key that was not made for the office, by its label and by the certificates that it has.
func (r *Registrar) checkOwner(ctx context.Context, office, name string, chain [][]byte) error {
	info, err := r.Admin.Describe(ctx, name)
	if err != nil {
		return err
	}
	if info.Labels[labelOffice] != office {
		return fmt.Errorf("%w: key %s is labelled for %q", directory.ErrConflict, name, info.Labels[labelOffice])
	}
	if len(chain) == 0 {
		return nil
	}
	c, err := cert.Parse(chain[0])
	if err != nil {
		return err
	}
	if transport.CodeOf(c.Subject) != office {
		return fmt.Errorf("%w: key %s is certified for %s", directory.ErrConflict, name, c.SubjectText())
	}
	return nil
}

// labelOffice is the label of a key that names the office it was made for.
const labelOffice = "office"

// Certified are the two certificates of an office, each followed by its issuers (PEM).
type Certified struct{ Signing, Encryption []byte }

// Certify certifies the keys of an office that keeps them itself, and enters the office in the directory. The signing key
// proves possession by a PKCS#10 request; of the encryption pair, which a key centre or the office made, the public key is
// given.
func (r *Registrar) Certify(
	ctx context.Context, who Person, o directory.Organisation, signing []byte, encryption *ecdsa.PublicKey,
) (Certified, error) {
	var made Certified
	o.Status = directory.Active
	if err := o.Validate(); err != nil {
		return made, fmt.Errorf("certify office: %w", err)
	}
	if err := r.note(ctx, who, "organisation.certify", o.Code); err != nil {
		return made, err
	}
	if err := r.admit(ctx, o); err != nil {
		return made, fmt.Errorf("certify office %s: %w", o.Code, err)
	}
	req, err := cert.ParseRequest(signing)
	if err != nil {
		return made, fmt.Errorf("certify office %s: %w: %w", o.Code, ErrRequest, err)
	}
	if err := r.checkRequest(ctx, o.Code, req, encryption); err != nil {
		return made, fmt.Errorf("certify office %s: %w", o.Code, err)
	}
	subject := r.subject(o)
	sign, err := r.CA.IssueSigning(subject, req.PublicKey, cert.IssueOptions{})
	if err != nil {
		return made, fmt.Errorf("certify office %s: %w", o.Code, err)
	}
	encrypt, err := r.CA.IssueEncryption(subject, encryption, cert.IssueOptions{})
	if err != nil {
		return made, fmt.Errorf("certify office %s: %w: %w", o.Code, ErrRequest, err)
	}
	made = Certified{Signing: r.withChain(sign), Encryption: r.withChain(encrypt)}
	o.SigningCert, o.EncryptionCert = made.Signing, made.Encryption
	if err := r.Offices.SaveOrganisation(ctx, o); err != nil {
		return Certified{}, fmt.Errorf("certify office %s: %w", o.Code, err)
	}
	return made, nil
}

// checkRequest refuses a request that names another office, one key for both halves, and a key that another office has.
func (r *Registrar) checkRequest(ctx context.Context, office string, req *cert.Request, encryption *ecdsa.PublicKey) error {
	if named := req.Subject.SerialNumber; named != "" && named != office {
		return fmt.Errorf("%w: it is for the code %s", ErrRequest, named)
	}
	if encryption == nil || req.PublicKey.Equal(encryption) {
		return fmt.Errorf("%w: signing and encryption want a key each", ErrRequest)
	}
	const page = 500
	for after := ""; ; {
		list, err := r.Offices.Organisations(ctx, after, page)
		if err != nil {
			return err
		}
		for _, o := range list {
			after = o.Code
			if hasKey(o, req.PublicKey) || hasKey(o, encryption) {
				return fmt.Errorf("%w: the key is certified for %s already", directory.ErrConflict, o.Code)
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

// hasKey reports whether one of the office's certificates is of the key.
func hasKey(o directory.Organisation, key *ecdsa.PublicKey) bool {
	for _, chain := range [][]byte{o.SigningCert, o.EncryptionCert} {
		if certs, err := cert.ParsePEM(chain); err == nil && len(certs) > 0 && certs[0].PublicKey.Equal(key) {
			return true
		}
	}
	return false
}

// ErrRequest says that a request for a certificate cannot be granted as it is.
var ErrRequest = errors.New("office: certificate request is not good")

// subject names an office in its certificates. Its code there is what binds evidence that it signs to the office.
func (r *Registrar) subject(o directory.Organisation) pkix.Name {
	name := cert.Subject(o.Name, o.Name)
	name.SerialNumber = o.Code
	return name
}

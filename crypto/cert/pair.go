package cert

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrPair: two certificates are no dual certificate of one party.
var ErrPair = errors.New("cert: not the two halves of a dual certificate")

// CheckPair checks that two certificates are the halves of one dual certificate (双证书, GB/T 20518): one signs, the other
// is encrypted to, both bear the same subject and were issued under the same name, and their keys differ, since a key
// that does both can be made to open by asking it to sign.
func CheckPair(signing, encryption *Certificate) error {
	if err := signing.CheckUse(UseSign); err != nil {
		return err
	}
	if err := encryption.CheckUse(UseEncrypt); err != nil {
		return err
	}
	switch {
	case !bytes.Equal(signing.RawSubject, encryption.RawSubject):
		return fmt.Errorf("%w: subjects %s and %s", ErrPair, signing.SubjectText(), encryption.SubjectText())
	case !bytes.Equal(signing.RawIssuer, encryption.RawIssuer):
		return fmt.Errorf("%w: issuers %s and %s", ErrPair, signing.IssuerText(), encryption.IssuerText())
	case signing.PublicKey.Equal(encryption.PublicKey):
		return fmt.Errorf("%w: %s has one key for both", ErrPair, signing.SubjectText())
	}
	return nil
}

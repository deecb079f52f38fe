package office

import (
	"yinxin/keys"
	"yinxin/transport/directory"
)

// NeededKey is a key without which an office, or the hub, cannot work.
type NeededKey struct {
	Name    string
	Purpose keys.Purpose
	// Certificate is the certificate (PEM, leaf first) that the directory has for it; nil where there is none.
	Certificate []byte
}

// NeededKeys are the keys of a hosted office: it signs, opens and keeps drafts with them. The key of its seal is not among
// them: its signatures are seals, and each use is logged.
func NeededKeys(o directory.Organisation) []NeededKey {
	return []NeededKey{
		{keyName(o.Code, useSign), keys.PurposeSign, o.SigningCert},
		{keyName(o.Code, useDecrypt), keys.PurposeDecrypt, o.EncryptionCert},
		{keyName(o.Code, useDrafts), keys.PurposeWrap, nil},
	}
}

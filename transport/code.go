package transport

import "crypto/x509/pkix"

// MaxCode is the length of the longest code, in bytes.
const MaxCode = 64

// ValidCode reports whether s is a code as offices, hubs, exchanges and entries have it: 1 to 64 of [A-Za-z0-9._-], the
// first a letter or a digit, so that no code is a path of its own ("..") or an option ("-x").
func ValidCode(s string) bool {
	if s == "" || len(s) > MaxCode {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// CodeOf gives the office code that a certificate's subject names, in its serialNumber attribute (2.5.4.5), and "" where
// it names none. Evidence that an office signed is bound to that office by it, so whoever issues a certificate for an
// office of the directory writes the office's code there.
func CodeOf(subject pkix.Name) string {
	if !ValidCode(subject.SerialNumber) {
		return ""
	}
	return subject.SerialNumber
}

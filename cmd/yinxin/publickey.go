package main

import (
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/transport"
)

// publicBlock is the PEM type of a SubjectPublicKeyInfo.
const publicBlock = "PUBLIC KEY"

// oidECPublicKey is id-ecPublicKey (RFC 5480): of an SM2 key only the curve differs.
func oidECPublicKey() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} }

// publicKeyInfo is SubjectPublicKeyInfo with a named curve.
type publicKeyInfo struct {
	Algorithm struct {
		Algorithm, Curve asn1.ObjectIdentifier
	}
	Point asn1.BitString
}

// publicPEM writes an SM2 public key as other software reads it.
func publicPEM(pub *ecdsa.PublicKey) []byte {
	var info publicKeyInfo
	info.Algorithm.Algorithm, info.Algorithm.Curve = oidECPublicKey(), gm.OIDCurveSM2
	point := gm.MarshalPublicKey(pub)
	info.Point = asn1.BitString{Bytes: point, BitLength: 8 * len(point)}
	der, err := asn1.Marshal(info)
	if err != nil { // a structure of two OIDs and a bit string has no value that cannot be written
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der})
}

// readPublicKey reads what publicPEM writes.
func readPublicKey(path string) (*ecdsa.PublicKey, error) {
	text, err := readInput(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != publicBlock {
		return nil, refuse("malformed", exitNotFound, "%s holds no PEM block %s", path, publicBlock)
	}
	var info publicKeyInfo
	rest, err := asn1.Unmarshal(block.Bytes, &info)
	if err != nil || len(rest) > 0 || !info.Algorithm.Algorithm.Equal(oidECPublicKey()) || !info.Algorithm.Curve.Equal(gm.OIDCurveSM2) {
		return nil, refuse("malformed", exitNotFound, "%s holds no SM2 public key", path)
	}
	pub, err := gm.ParsePublicKey(info.Point.RightAlign())
	if err != nil {
		return nil, refuse("malformed", exitNotFound, "%s: %w", path, err)
	}
	return pub, nil
}

// subjectFlags are the parts of a certificate's subject.
type subjectFlags struct{ common, organisation, code string }

func (f *subjectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.common, "name", "", "the holder's name (CN)")
	cmd.Flags().StringVar(&f.organisation, "org", "", "the holder's organisation (O)")
	cmd.Flags().StringVar(&f.code, "code", "", "the office's code in the directory (serialNumber), which binds evidence to it")
}

// given reports whether any part was given.
func (f *subjectFlags) given() bool { return *f != subjectFlags{} }

func (f *subjectFlags) name() (pkix.Name, error) {
	if f.common == "" {
		return pkix.Name{}, usage("--name is required")
	}
	if f.code != "" && !transport.ValidCode(f.code) {
		return pkix.Name{}, usage("--code %s: want 1 to %d of A-Z a-z 0-9 . _ -", f.code, transport.MaxCode)
	}
	name := cert.Subject(f.common, f.organisation)
	name.SerialNumber = f.code
	return name, nil
}

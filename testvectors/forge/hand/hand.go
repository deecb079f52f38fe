// Package hand is what a forger works with who has a key: SM2, SM3 and SM4 by gmsm itself, put together here once more.
//
// It imports nothing of the code under test, so that a message which it helped to forge, and the reader that judges it, can
// only agree by both following the standards. It is for tests alone, and holds no key longer than a test does.
package hand

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"yinxin/testvectors/forge"
)

// DefaultID is the SM2 user ID that everybody uses.
const DefaultID = "1234567812345678"

// Sum is SM3.
func Sum(data []byte) []byte {
	sum := sm3.Sum(data)
	return sum[:]
}

// Tools are those of the owner of a key, which is given by its scalar.
func Tools(scalar []byte) forge.Tools {
	return forge.Tools{Sum: Sum, Sign: func(message []byte) []byte { return SignAs(scalar, DefaultID, message) }}
}

// SignAs signs a message under a user ID, which is taken literally (GB/T 32918.2 6.1).
func SignAs(scalar []byte, id string, message []byte) []byte {
	return SignDigest(scalar, Sum(append(z(key(scalar).X, key(scalar).Y, id), message...)))
}

// SignDigest signs e as it is given, with whatever it was or was not hashed.
func SignDigest(scalar, e []byte) []byte {
	return must(key(scalar).Sign(rand.Reader, e, nil)) //nolint:forbidigo // a forger of tests may draw as it likes
}

// Wrap encrypts a key of any length to a public key, as SM2Cipher (GB/T 35276).
func Wrap(pub *ecdsa.PublicKey, secret []byte) []byte {
	return must(sm2.EncryptASN1(rand.Reader, pub, secret)) //nolint:forbidigo // as above
}

// Raw turns an SM2Cipher into the bare point, C3 and C2.
func Raw(ciphertext []byte) []byte { return must(sm2.ASN1Ciphertext2Plain(ciphertext, nil)) }

// CBC pads and encrypts by SM4-CBC.
func CBC(secret, iv, content []byte) []byte {
	pad := sm4.BlockSize - len(content)%sm4.BlockSize
	out := append(bytes.Clone(content), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(must(sm4.NewCipher(secret)), iv).CryptBlocks(out, out)
	return out
}

// z is Z of GB/T 32918.2 5.5, from the published parameters of the curve (GB/T 32918.5).
func z(x, y *big.Int, id string) []byte {
	in := append([]byte{byte(len(id) * 8 >> 8), byte(len(id) * 8)}, id...)
	for _, parameter := range []string{
		"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC",
		"28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93",
		"32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7",
		"BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0",
	} {
		in = append(in, must(hex.DecodeString(parameter))...)
	}
	in = append(in, x.FillBytes(make([]byte, 32))...)
	return Sum(append(in, y.FillBytes(make([]byte, 32))...))
}

func key(scalar []byte) *sm2.PrivateKey { return must(sm2.ParseRawPrivateKey(scalar)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Errorf("forge: %w", err)) //nolint:forbidigo // a test whose forger fails ends
	}
	return v
}

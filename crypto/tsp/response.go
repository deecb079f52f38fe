package tsp

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cms"
)

// Status is a PKIStatus (RFC 3161 2.4.2).
type Status int

// The statuses. With the first two there is a token, with the others none.
const (
	Granted Status = iota
	GrantedWithMods
	Rejection
	Waiting
	RevocationWarning
	RevocationNotification
)

// Failure is a bit of PKIFailureInfo; NoFailure stands for none.
type Failure int

// The failures of RFC 3161 2.4.2, by their bit.
const (
	NoFailure           Failure = -1
	BadAlgorithm        Failure = 0
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	InfoNotAvailable    Failure = 17
	SystemFailure       Failure = 25
)

// String names the failure as the RFC does.
func (f Failure) String() string {
	switch f {
	case NoFailure:
		return "none"
	case BadAlgorithm:
		return "badAlg"
	case BadRequest:
		return "badRequest"
	case BadDataFormat:
		return "badDataFormat"
	case TimeNotAvailable:
		return "timeNotAvailable"
	case UnacceptedPolicy:
		return "unacceptedPolicy"
	case UnacceptedExtension:
		return "unacceptedExtension"
	case InfoNotAvailable:
		return "addInfoNotAvailable"
	case SystemFailure:
		return "systemFailure"
	}
	return fmt.Sprintf("failure %d", int(f))
}

// Response is a TimeStampResp. Its token is unjudged.
type Response struct {
	Status  Status
	Failure Failure
	// Text is what the authority says to people, with control characters replaced.
	Text string
	// Token is the time-stamp token in DER, nil unless the status says that it was granted.
	Token []byte
}

// ParseResponse reads a response: strict DER, at most MaxResponse bytes, with a token exactly where the status says so.
func ParseResponse(der []byte) (*Response, error) {
	if err := cms.CheckDER(der, MaxResponse); err != nil {
		return nil, fmt.Errorf("%w: response: %w", ErrMalformed, err)
	}
	in := cryptobyte.String(der)
	var body, info, token cryptobyte.String
	var status int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&info, cbasn1.SEQUENCE) ||
		!info.ReadASN1Integer(&status) || status < 0 || status > int64(RevocationNotification) {
		return nil, wrongForm("status of the response")
	}
	r := &Response{Status: Status(status), Failure: NoFailure}
	if err := r.readInfo(info); err != nil {
		return nil, err
	}
	if !body.Empty() {
		if !body.ReadASN1Element(&token, cbasn1.SEQUENCE) || !body.Empty() {
			return nil, wrongForm("token of the response")
		}
		r.Token = append([]byte(nil), token...)
	}
	if granted := r.Status <= GrantedWithMods; granted != (r.Token != nil) {
		return nil, wrongForm("the status of the response and its token contradict one another")
	}
	return r, nil
}

// readInfo reads what follows the status in PKIStatusInfo.
func (r *Response) readInfo(info cryptobyte.String) error {
	var texts, bits cryptobyte.String
	if info.PeekASN1Tag(cbasn1.SEQUENCE) {
		info.ReadASN1(&texts, cbasn1.SEQUENCE)
	}
	var lines []string
	for !texts.Empty() {
		var text cryptobyte.String
		if !texts.ReadASN1(&text, cbasn1.UTF8String) || len(lines) == maxText {
			return wrongForm("text of the response")
		}
		lines = append(lines, string(text))
	}
	r.Text = printable(strings.Join(lines, "; "))
	if info.PeekASN1Tag(cbasn1.BIT_STRING) {
		info.ReadASN1(&bits, cbasn1.BIT_STRING)
		r.Failure = firstBit(bits)
	}
	if !info.Empty() {
		return wrongForm("status of the response")
	}
	return nil
}

// firstBit is the lowest bit that is set in a BIT STRING, whose first byte counts the unused bits.
func firstBit(bits []byte) Failure {
	for i := 8; i < 8*len(bits) && i < 8*8; i++ {
		if bits[i/8]&(0x80>>(i%8)) != 0 {
			return Failure(i - 8)
		}
	}
	return NoFailure
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// marshal writes the response.
func (r *Response) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(r.Status))
			if r.Text != "" {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.Text)) })
				})
			}
			if r.Failure != NoFailure {
				b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
					bits := make([]byte, int(r.Failure)/8+1)
					bits[int(r.Failure)/8] = 0x80 >> (int(r.Failure) % 8)
					b.AddUint8(uint8(7 - int(r.Failure)%8))
					b.AddBytes(bits)
				})
			}
		})
		b.AddBytes(r.Token)
	})
	return b.Bytes()
}

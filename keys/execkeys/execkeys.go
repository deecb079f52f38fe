// Package execkeys uses a private key that another program holds: a USB key, an SDF or PKCS#11 device, a smart card.
// The program speaks the protocol of docs/formats/exec-keys.md, one JSON object a line over its standard input and
// output.
//
// It promises that the private key is never asked for, that the PIN never passes through this process (the program asks
// its user itself), that a signature is verified against the public key before it is released, that key and purpose are
// fixed when the handle is opened, and that a program which hangs, talks too much or ends is an error within bounded time
// and memory.
//
// It does not promise anything about the program, which runs with the user's rights and must be trusted like any other;
// and it has no stores: states, versions and second persons are the device's matter.
package execkeys

import (
	"bufio"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Bounds of the protocol.
const (
	// MaxLine is the longest line in either direction, in bytes.
	MaxLine = 256 << 10
	// MaxCertificates bounds the chain that a device hands out.
	MaxCertificates = 16
	// DefaultTimeout bounds each answer; people look for their PIN meanwhile.
	DefaultTimeout = 2 * time.Minute
	// stopTimeout is how long a program may take to end after its input was closed.
	stopTimeout = 2 * time.Second
)

// Protocol is the version that both sides name.
const Protocol = "yinxin-exec-key/1"

// Options say which program holds which key.
type Options struct {
	// Program and Args start the program; it is looked up in the PATH like any command.
	Program string
	Args    []string
	// Env is added to the environment of this process.
	Env []string
	// Key is the program's name for the key; empty takes the program's only one.
	Key string
	// Purpose is what the handle is for, one of those of an SM2 key.
	Purpose keys.Purpose
	// Timeout bounds each answer; zero means DefaultTimeout.
	Timeout time.Duration
	// Stderr takes what the program says to people; nil drops it.
	Stderr io.Writer
}

// Key is an open key: a crypto.Signer and a crypto.Decrypter, of which the purpose allows one. Its methods are safe for
// concurrent use; the program sees one request at a time. Close it.
type Key struct {
	o    Options
	info keys.PublicInfo

	mu    sync.Mutex
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan line
	ended error // sticky: the program is not to be spoken to any more
}

type line struct {
	text []byte
	err  error
}

var (
	_ crypto.Signer    = (*Key)(nil)
	_ crypto.Decrypter = (*Key)(nil)
	_ keys.Describer   = (*Key)(nil)
)

// Open starts the program, checks that both speak the same protocol, and asks for the public part of the key. ctx bounds
// the life of the program. Errors are those of package keys: keys.ErrInvalid (purpose, protocol), keys.ErrNotFound,
// keys.ErrDenied (another purpose), keys.ErrUnavailable (the program does not start or does not answer).
func Open(ctx context.Context, o Options) (*Key, error) {
	if o.Purpose.Type() != keys.TypeSM2 {
		return nil, fmt.Errorf("open key of %s: %w: no SM2 key has the purpose %q", o.Program, keys.ErrInvalid, o.Purpose)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	k := &Key{o: o, lines: make(chan line, 1)}
	if err := k.start(ctx); err != nil {
		return nil, fmt.Errorf("open key of %s: %w", o.Program, err)
	}
	if err := k.greet(); err != nil {
		return nil, errors.Join(fmt.Errorf("open key of %s: %w", o.Program, err), k.Close())
	}
	return k, nil
}

func (k *Key) start(ctx context.Context) error {
	c := exec.CommandContext(ctx, k.o.Program, k.o.Args...) //nolint:gosec // the user names the program that holds the key
	c.Env = append(c.Environ(), k.o.Env...)
	c.Stderr = k.o.Stderr
	c.WaitDelay = stopTimeout
	in, err := c.StdinPipe()
	if err != nil {
		return unavailable(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return unavailable(err)
	}
	if err := c.Start(); err != nil {
		return unavailable(err)
	}
	k.cmd, k.in = c, in
	go readLines(out, k.lines)
	return nil
}

// readLines hands over one line at a time; the first error is the last thing it says.
func readLines(r io.Reader, to chan<- line) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4<<10), MaxLine)
	for s.Scan() {
		to <- line{text: append([]byte(nil), s.Bytes()...)}
	}
	err := s.Err()
	if err == nil {
		err = io.EOF
	}
	to <- line{err: err}
	close(to)
}

func unavailable(err error) error { return &keys.UnavailableError{Err: err} }

// greet agrees on the protocol and describes the key.
func (k *Key) greet() error {
	hello, err := k.call(Request{Op: OpHello, Protocol: Protocol})
	if err != nil {
		return err
	}
	if hello.Protocol != Protocol {
		return fmt.Errorf("%w: the program speaks %q, not %s", keys.ErrInvalid, hello.Protocol, Protocol)
	}
	a, err := k.call(Request{Op: OpDescribe, Key: k.o.Key})
	if err != nil {
		return err
	}
	if a.Purpose != "" && keys.Purpose(a.Purpose) != k.o.Purpose {
		return fmt.Errorf("%w: the key's purpose is %q, not %s", keys.ErrDenied, a.Purpose, k.o.Purpose)
	}
	point, err := hex.DecodeString(a.Public)
	if err != nil {
		return fmt.Errorf("%w: public key", keys.ErrInvalid)
	}
	pub, err := gm.ParsePublicKey(point)
	if err != nil {
		return fmt.Errorf("%w: %w", keys.ErrInvalid, err)
	}
	if len(a.Certificates) > MaxCertificates {
		return fmt.Errorf("%w: %d certificates", keys.ErrInvalid, len(a.Certificates))
	}
	name := k.o.Key
	if name == "" {
		name = k.o.Program
	}
	k.info = keys.PublicInfo{
		Ref: keys.Ref{Name: name, Version: 1}, Type: keys.TypeSM2, Purpose: k.o.Purpose, State: keys.StateEnabled,
		UID: gm.DefaultID, Public: pub,
	}
	for _, text := range a.Certificates {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("%w: certificate of the key", keys.ErrInvalid)
		}
		k.info.Certificates = append(k.info.Certificates, der)
	}
	return nil
}

// KeyInfo implements keys.Describer; Certificates are those that the device hands out, leaf first.
func (k *Key) KeyInfo() keys.PublicInfo { return k.info }

// Public implements crypto.Signer and crypto.Decrypter; the type is *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.info.Public }

// Sign implements crypto.Signer with gm.SignMessage and gm.SignDigest. The digest e is computed here, so that 32 bytes
// go to the device. rand is not used.
func (k *Key) Sign(_ io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !k.o.Purpose.Signs() {
		return nil, fmt.Errorf("sign with key %s: %w: its purpose is %s", k.info.Ref, keys.ErrDenied, k.o.Purpose)
	}
	e, err := gm.DigestFor(k.info.Public, data, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w: %w", k.info.Ref, keys.ErrInvalid, err)
	}
	a, err := k.call(Request{Op: OpSign, Key: k.o.Key, Purpose: string(k.o.Purpose), Digest: hex.EncodeToString(e[:])})
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", k.info.Ref, err)
	}
	sig, err := hex.DecodeString(a.Signature)
	if err != nil || !gm.VerifyDigest(k.info.Public, e, sig) {
		return nil, fmt.Errorf("sign with key %s: %w: the signature of the device does not verify", k.info.Ref, keys.ErrInvalid)
	}
	return sig, nil
}

// Decrypt implements crypto.Decrypter for SM2Cipher in ASN.1 form (GB/T 35276); every ciphertext that does not open is
// gm.ErrDecrypt.
func (k *Key) Decrypt(_ io.Reader, ciphertext []byte, _ crypto.DecrypterOpts) ([]byte, error) {
	if k.o.Purpose != keys.PurposeDecrypt {
		return nil, fmt.Errorf("decrypt with key %s: %w: its purpose is %s", k.info.Ref, keys.ErrDenied, k.o.Purpose)
	}
	if len(ciphertext) == 0 || ciphertext[0] != 0x30 || len(ciphertext) > gm.MaxCiphertext {
		return nil, gm.ErrDecrypt
	}
	a, err := k.call(Request{Op: OpDecrypt, Key: k.o.Key, Ciphertext: base64.StdEncoding.EncodeToString(ciphertext)})
	if errors.Is(err, keys.ErrInvalid) {
		return nil, gm.ErrDecrypt
	}
	if err != nil {
		return nil, fmt.Errorf("decrypt with key %s: %w", k.info.Ref, err)
	}
	plain, err := base64.StdEncoding.DecodeString(a.Plain)
	if err != nil || len(plain) == 0 || len(plain) > gm.MaxPlaintext {
		return nil, gm.ErrDecrypt
	}
	return plain, nil
}

// call sends one request and waits for its answer.
func (k *Key) call(r Request) (Answer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended != nil {
		return Answer{}, unavailable(k.ended)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", keys.ErrInvalid, err)
	}
	timer := time.NewTimer(k.o.Timeout)
	defer timer.Stop()
	written := make(chan error, 1)
	go func() { _, err := k.in.Write(append(text, '\n')); written <- err }()
	select {
	case err = <-written:
	case <-timer.C:
		err = errSlow
	}
	if err != nil {
		return Answer{}, k.giveUp(err)
	}
	select {
	case l := <-k.lines:
		if l.err != nil {
			return Answer{}, k.giveUp(fmt.Errorf("the program ended or spoke out of bounds: %w", l.err))
		}
		return k.read(l.text)
	case <-timer.C:
		return Answer{}, k.giveUp(errSlow)
	}
}

var errSlow = errors.New("the program does not answer")

// giveUp remembers that the program is not to be spoken to any more: an answer that comes late would be taken for that
// to the next request.
func (k *Key) giveUp(err error) error {
	k.ended = err
	_ = k.cmd.Process.Kill() // it may have ended already
	return unavailable(err)
}

// read reads an answer and gives its error the class of package keys.
func (k *Key) read(text []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, k.giveUp(errors.New("the program's answer is no JSON object of the protocol"))
	}
	if a.OK {
		return a, nil
	}
	detail := printable(a.Detail)
	switch a.Error {
	case CodeLocked:
		return Answer{}, fmt.Errorf("%w: %s", keys.ErrSealed, detail)
	case CodeDenied:
		return Answer{}, fmt.Errorf("%w: %s", keys.ErrDenied, detail)
	case CodeNotFound:
		return Answer{}, fmt.Errorf("%w: %s", keys.ErrNotFound, detail)
	case CodeInvalid:
		return Answer{}, fmt.Errorf("%w: %s", keys.ErrInvalid, detail)
	}
	return Answer{}, unavailable(errors.New(detail))
}

// Close ends the program: its input is closed, and it is killed if it does not end by itself.
func (k *Key) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd == nil {
		return nil
	}
	killed := k.ended != nil
	if k.ended == nil {
		k.ended = errors.New("the key is closed")
	}
	_ = k.in.Close() // the program may be gone
	kill := time.AfterFunc(stopTimeout, func() { _ = k.cmd.Process.Kill() })
	defer kill.Stop()
	for range k.lines {
		continue // whatever it still says is dropped, so that it is not held up in saying it
	}
	err := k.cmd.Wait()
	k.cmd = nil
	if _, ok := errors.AsType[*exec.ExitError](err); ok && killed {
		return nil
	}
	return err
}

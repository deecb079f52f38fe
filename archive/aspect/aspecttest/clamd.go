// Package aspecttest answers as ClamAV's daemon does, for tests of whoever asks it. Tests alone import it.
package aspecttest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/archive/aspect"
)

// Clamd is a daemon that knows one signature: the EICAR test file, in a stream that keeps to clamd(8).
type Clamd struct {
	aspect.Clamd
	// Say, where it is set, is the answer to every scan; Scans counts them.
	Say   atomic.Pointer[string]
	Scans atomic.Int32
}

// Start starts a daemon that ends with the test. It holds its clients to the protocol: a stream that is not ended by an empty
// chunk, or with a chunk above the limit, gets no answer.
func Start(t testing.TB) *Clamd {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	d := &Clamd{Clamd: aspect.Clamd{Network: "tcp", Address: l.Addr().String(), Timeout: 5 * time.Second}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(conn)
		}
	}()
	return d
}

// maxChunk is the StreamMaxLength of a daemon as it is shipped, in bytes.
const maxChunk = 25 << 20

func (d *Clamd) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	command, err := r.ReadString(0)
	if err != nil {
		return
	}
	if command == "zVERSION\x00" {
		_, _ = io.WriteString(conn, "ClamAV 1.4.3/27800/Sat Nov 28 09:00:00 2026\x00")
		return
	}
	if command != "zINSTREAM\x00" {
		_, _ = io.WriteString(conn, "UNKNOWN COMMAND\x00")
		return
	}
	var body bytes.Buffer
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(size[:])
		if n == 0 {
			break
		}
		if n > maxChunk {
			return
		}
		if _, err := io.CopyN(&body, r, int64(n)); err != nil {
			return
		}
	}
	d.Scans.Add(1)
	answer := "stream: OK\x00"
	if bytes.Contains(body.Bytes(), []byte(EICAR())) {
		answer = "stream: Eicar-Test-Signature FOUND\x00"
	}
	if say := d.Say.Load(); say != nil {
		answer = *say
	}
	_, _ = io.WriteString(conn, answer)
}

// EICAR is the test string, put together here so that no scanner finds it in the source.
func EICAR() string {
	return `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-" + `ANTIVIRUS-TEST-FILE!$H+H*`
}

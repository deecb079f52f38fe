package aspect_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"yinxin/archive/aspect"
)

// clamd answers as ClamAV's daemon does (clamd(8)); say overrides the answer to a scan.
func clamd(t *testing.T, say string) aspect.Clamd {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveClamd(conn, say)
		}
	}()
	return aspect.Clamd{Network: "tcp", Address: l.Addr().String(), Timeout: 5 * time.Second}
}

func serveClamd(conn net.Conn, say string) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	command, err := r.ReadString(0)
	if err != nil {
		return
	}
	if command == "zVERSION\x00" {
		io.WriteString(conn, "ClamAV 1.4.3/27800/Sat Nov 28 09:00:00 2026\x00")
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
		if _, err := io.CopyN(&body, r, int64(n)); err != nil {
			return
		}
	}
	switch {
	case say != "":
		io.WriteString(conn, say)
	case bytes.Contains(body.Bytes(), []byte(eicar())):
		io.WriteString(conn, "stream: Eicar-Test-Signature FOUND\x00")
	default:
		io.WriteString(conn, "stream: OK\x00")
	}
}

// eicar is the test string, put together here so that no scanner finds it in the source.
func eicar() string {
	return `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-" + `ANTIVIRUS-TEST-FILE!$H+H*`
}

func TestClamd(t *testing.T) {
	t.Parallel()
	c := clamd(t, "")
	if v, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(v, "ClamAV 1.4.3/27800") {
		t.Errorf("%q, %v", v, err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":      {"", ""},
		"clean":        {strings.Repeat("公文", 100_000), ""},
		"malware":      {eicar(), "Eicar-Test-Signature"},
		"behind 1 MiB": {strings.Repeat("x", 1<<20) + eicar(), "Eicar-Test-Signature"},
	} {
		if got, err := c.Scan(t.Context(), strings.NewReader(tt.text)); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// What is not understood is no clean file.
	for _, say := range []string{"INSTREAM size limit exceeded. ERROR\x00", "stream:  FOUND\x00", "\x00"} {
		if found, err := clamd(t, say).Scan(t.Context(), strings.NewReader("x")); err == nil {
			t.Errorf("%q: %q and no error", say, found)
		}
	}
	if _, err := (aspect.Clamd{Network: "tcp", Address: "127.0.0.1:1"}).Scan(t.Context(), strings.NewReader("x")); err == nil {
		t.Error("nobody there, and no error")
	}
}

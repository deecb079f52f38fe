package aspect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Clamd speaks to ClamAV's daemon (clamd(8): VERSION and INSTREAM).
type Clamd struct {
	// Network is tcp or unix, Address where it listens.
	Network, Address string
	// Timeout bounds one file; zero means a minute.
	Timeout time.Duration
}

const (
	clamdChunk  = 64 << 10
	clamdAnswer = 4 << 10
)

var _ Scanner = Clamd{}

// dial connects; the connection ends with ctx or after the timeout, whatever the daemon does.
func (c Clamd) dial(ctx context.Context) (net.Conn, func() error, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	conn, err := new(net.Dialer).DialContext(ctx, c.Network, c.Address)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends reads and writes that wait
	return conn, func() error {
		defer cancel()
		if !stop() {
			return ctx.Err()
		}
		return conn.Close()
	}, nil
}

// Version implements Scanner.
func (c Clamd) Version(ctx context.Context) (_ string, err error) {
	conn, end, err := c.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := io.WriteString(conn, "zVERSION\x00"); err != nil {
		return "", err
	}
	return answer(conn)
}

// Scan implements Scanner. An answer that is neither OK nor FOUND is an error: a file that was not looked at is not clean.
func (c Clamd) Scan(ctx context.Context, r io.Reader) (_ string, err error) {
	conn, end, err := c.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := io.WriteString(conn, "zINSTREAM\x00"); err != nil {
		return "", err
	}
	buf := make([]byte, 4+clamdChunk)
	for {
		n, err := r.Read(buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := conn.Write(buf[:4+n]); err != nil {
				return "", err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	if _, err := conn.Write(make([]byte, 4)); err != nil {
		return "", err
	}
	said, err := answer(conn)
	if err != nil {
		return "", err
	}
	text := strings.TrimPrefix(said, "stream: ")
	if text == "OK" {
		return "", nil
	}
	if found, ok := strings.CutSuffix(text, " FOUND"); ok && found != "" {
		return found, nil
	}
	return "", fmt.Errorf("clamd answers %q", said)
}

func answer(conn io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(conn, clamdAnswer))
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\x00\n")
	if text == "" {
		return "", errors.New("clamd answers nothing")
	}
	return text, nil
}

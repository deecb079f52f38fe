package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"yinxin/transport/api"
)

// TestOfficesWaitInTurn: of ninety requests of one office and one each of two others, the others' come at once.
func TestOfficesWaitInTurn(t *testing.T) {
	f := newFair(2)
	hold, err := f.enter(t.Context(), "A")
	if err != nil {
		t.Fatal(err)
	}
	other, err := f.enter(t.Context(), "D")
	if err != nil {
		t.Fatal(err)
	}
	order := make(chan string, 8)
	next := make(chan struct{})
	wait := func(office string) {
		before := f.waits(office)
		go func() {
			leave, err := f.enter(context.Background(), office)
			if err != nil {
				t.Error(err)
				return
			}
			order <- office
			<-next
			leave()
		}()
		for f.waits(office) == before {
			time.Sleep(time.Millisecond)
		}
	}
	for _, office := range []string{"A", "A", "B", "C"} {
		wait(office)
	}
	if _, err := f.enter(t.Context(), "A"); !isLimited(err) {
		t.Errorf("more of one office wait than there are places: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.enter(ended, "C"); !errors.Is(err, context.Canceled) {
		t.Errorf("one that gave up: %v", err)
	}
	other()
	got := []string{}
	for range 4 {
		got = append(got, <-order)
		next <- struct{}{}
	}
	hold()
	if s := strings.Join(got, ""); s != "BCAA" && s != "ABCA" {
		t.Errorf("the order was %s", s)
	}
	f.mu.Lock()
	taken := f.taken
	f.mu.Unlock()
	if taken != 0 && f.waits("A")+f.waits("B")+f.waits("C") != 0 {
		t.Errorf("%d places are taken at the end", taken)
	}
}

func isLimited(err error) bool {
	p, ok := errors.AsType[*api.Problem](err)
	return ok && p.Code == api.RateLimited
}

func (f *fair) waits(office string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting[office])
}

func TestAddresses(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:99": "192.0.2.7", "[::ffff:192.0.2.7]:99": "192.0.2.7", "127.0.0.1:5": "", "[::1]:5": "",
		"[2001:db8:1:2:3::4]:5": "2001:db8:1:2::/64", "[fe80::1%eth0]:5": "fe80::/64", "pipe": "", "@": "",
	} {
		if got := addressName(remote); got != want {
			t.Errorf("%s counts as %q, want %q", remote, got, want)
		}
	}
}

func TestBucketsAreForgotten(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := newRates(Rate{PerSecond: 1, Burst: 1}, func() time.Time { return now })
	for i := range 3 {
		err := r.take("x", 1)
		if (i == 0) != (err == nil) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if err := r.take("x", 0); err == nil {
		t.Error("an empty bucket lets in who takes nothing")
	}
	now = now.Add(time.Second)
	r.shrink(now)
	if len(r.buckets) != 0 {
		t.Errorf("%d full buckets kept", len(r.buckets))
	}
}

// TestSlowClientsAreLetGo: a body and an answer that stand still end after the patience, those that move do not.
func TestSlowClientsAreLetGo(t *testing.T) {
	const patience = 200 * time.Millisecond
	big := strings.Repeat("x", 32<<20)
	errs := make(chan error, 1)
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: pacedBy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err == nil && r.Method == http.MethodGet {
			_, err = io.WriteString(w, big)
		}
		errs <- err
	}), patience)}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	for name, text := range map[string]string{
		"a body that stops":      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
		"an answer nobody reads": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; err == nil {
			t.Errorf("%s: nobody minded", name)
		}
		if took := time.Since(began); took < patience/2 || took > 10*time.Second {
			t.Errorf("%s: let go after %s", name, took)
		}
		_ = conn.Close()
	}
	resp, err := http.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader("quick"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := <-errs; err != nil {
		t.Errorf("a quick body: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestConnectionsAreBounded: what comes beyond is closed at once, and a place is free again when a connection ends.
func TestConnectionsAreBounded(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := Bounded(l, Connections{All: 1, PerAddress: 1}).(*bounded)
	defer b.Close()
	conns := make(chan net.Conn)
	go func() {
		defer close(conns)
		for {
			c, err := b.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one := dial()
	served := <-conns
	two := dial()
	_ = two.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := two.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("one too many: %v", err)
	}
	_ = served.Close()
	_ = served.Close()
	three := dial()
	_ = (<-conns).Close()
	for _, c := range []net.Conn{one, two, three} {
		_ = c.Close()
	}
	if !b.enter("192.0.2.1") || b.enter("192.0.2.1") {
		t.Error("connections of one address are not counted")
	}
}

package httpapi

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"yinxin/transport/api"
)

// Rate is how many requests may come: so many a second for long, and Burst at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits bounds what one party may ask of this hub. Zero values take the defaults. Each hub counts for itself.
type Limits struct {
	// Office bounds the requests of one office's accounts together; default 1,000 a second, 5,000 at once.
	Office Rate
	// Address bounds those of one address (of IPv6: of its /64) that nobody is logged in for, false logins among them; default
	// 100 a second, 1,000 at once. Loopback, where a reverse proxy may stand, is not counted.
	Address Rate
	// Places is how many submissions, and besides how many uploads and large ones, are worked on at once; default 64.
	Places int
}

func (l *Limits) setDefaults() {
	if l.Office == (Rate{}) {
		l.Office = Rate{PerSecond: 1000, Burst: 5000}
	}
	if l.Address == (Rate{}) {
		l.Address = Rate{PerSecond: 100, Burst: 1000}
	}
	if l.Places == 0 {
		l.Places = 64
	}
}

// rates counts requests by a name, as tokens in a bucket that fills with time.
type rates struct {
	rate  Rate
	clock func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory of rates; full buckets, which say nothing, go first.
const maxBuckets = 100_000

func newRates(r Rate, clock func() time.Time) *rates {
	return &rates{rate: r, clock: clock, buckets: map[string]bucket{}}
}

// take takes n tokens of a name, and refuses where there is not even one.
func (r *rates) take(name string, n float64) error {
	now := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	b, known := r.buckets[name]
	if !known {
		if len(r.buckets) >= maxBuckets {
			r.shrink(now)
		}
		b = bucket{float64(r.rate.Burst), now}
	}
	b = r.filled(b, now)
	if b.tokens < 1 {
		r.buckets[name] = b
		p := api.NewProblem(api.RateLimited, "")
		p.RetryAfter = max(1, int(math.Ceil((1-b.tokens)/r.rate.PerSecond)))
		return p
	}
	b.tokens -= n
	r.buckets[name] = b
	return nil
}

func (r *rates) filled(b bucket, now time.Time) bucket {
	if past := now.Sub(b.at); past > 0 {
		b.tokens = min(float64(r.rate.Burst), b.tokens+past.Seconds()*r.rate.PerSecond)
	}
	b.at = now
	return b
}

// shrink forgets buckets that are full, and all where none is: whoever made so many names is not helped by it for long.
func (r *rates) shrink(now time.Time) {
	for name, b := range r.buckets {
		if r.filled(b, now).tokens >= float64(r.rate.Burst) {
			delete(r.buckets, name)
		}
	}
	if len(r.buckets) >= maxBuckets {
		clear(r.buckets)
	}
}

// addressOf is the name under which requests of an address are counted; empty for those that are not. What a request says of
// itself (X-Forwarded-For) counts for nothing.
func addressOf(r *http.Request) string { return addressName(r.RemoteAddr) }

func addressName(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback():
		return ""
	case ip.Is4():
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ""
	}
	return p.String()
}

// known counts a request of an office, public one of an address; suspect looks whether an address may still try to log in.
func (s *Server) known(office string) error { return s.offices.take(office, 1) }

func (s *Server) public(r *http.Request, n float64) error {
	if name := addressOf(r); name != "" {
		return s.addresses.take(name, n)
	}
	return nil
}

package cert

import (
	"sync"
)

// cacheSize is how many signatures a Cache remembers before it begins anew.
const cacheSize = 4096

// Cache remembers signatures that hold: this certificate, or this revocation list, is signed by that issuer. It is keyed
// by the SM3 of both, so a remembered answer is that of the same bytes; what depends on the time, on names, on usages or
// on the policy is judged anew every time. It is safe for concurrent use; the zero Cache is ready.
type Cache struct {
	mu   sync.Mutex
	good map[[2][32]byte]struct{}
}

// holds looks a pair up, or checks it and remembers it if it holds. A signature that does not hold is not remembered, so
// nobody fills the cache with rubbish.
func (m *Cache) holds(c, issuer [32]byte, check func() bool) bool {
	key := [2][32]byte{c, issuer}
	m.mu.Lock()
	_, known := m.good[key]
	m.mu.Unlock()
	if known {
		return true
	}
	if !check() {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.good == nil || len(m.good) >= cacheSize {
		m.good = make(map[[2][32]byte]struct{})
	}
	m.good[key] = struct{}{}
	return true
}

func (m *Cache) signed(c, issuer *Certificate) bool {
	if m == nil {
		return signedBy(c, issuer)
	}
	return m.holds(c.SM3(), issuer.SM3(), func() bool { return signedBy(c, issuer) })
}

func (m *Cache) listSigned(l *RevocationList, issuer *Certificate) bool {
	if m == nil {
		return l.signedBy(issuer)
	}
	return m.holds(l.sum, issuer.SM3(), func() bool { return l.signedBy(issuer) })
}

// Package discover stands in for the discovery of cloud machines, which a test server never does: without it two thirds
// of the server's dependencies fall away.
package discover

import (
	"errors"
	"log"
)

// Config stands in for a parsed discovery string.
type Config map[string]string

// String prints nothing.
func (Config) String() string { return "" }

// Parse refuses every discovery string.
func Parse(string) (Config, error) { return nil, errAbsent }

// Provider stands in for a cloud.
type Provider any

// Providers lists no cloud.
var Providers = map[string]Provider{}

// Option stands in for an option of New.
type Option func()

// WithProviders does nothing.
func WithProviders(map[string]Provider) Option { return func() {} }

// Discover finds nothing.
type Discover struct{}

// New makes one.
func New(...Option) (*Discover, error) { return &Discover{}, nil }

// Addrs finds no address.
func (*Discover) Addrs(string, *log.Logger) ([]string, error) { return nil, errAbsent }

var errAbsent = errors.New("this test server discovers no machines")

package gmplugin

import (
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// Paths gives the paths of a backend of this package, nil of another.
func Paths(l logical.Backend) []*framework.Path {
	b, ok := l.(*backend)
	if !ok {
		return nil
	}
	return b.Paths
}

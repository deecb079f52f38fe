//go:build !unix

package durable

import (
	"errors"
	"fmt"
	"os"
)

// lockFile refuses: without flock two processes could write one store.
func lockFile(f *os.File, _ bool) error {
	return fmt.Errorf("lock %s: %w", f.Name(), errors.ErrUnsupported)
}

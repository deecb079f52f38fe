//go:build unix

package filekeys

import (
	"fmt"
	"syscall"
)

// NoCoreFiles forbids this process, and those that it starts, to leave core files, which would hold keys. Programs that
// open a store call it when they start.
func NoCoreFiles() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	return nil
}

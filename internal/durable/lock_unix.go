//go:build unix

package durable

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes a flock without waiting; ErrLocked where somebody else holds it.
func lockFile(f *os.File, exclusive bool) error {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return ErrLocked
		}
		if err != nil {
			return os.NewSyscallError("flock", err)
		}
		return nil
	}
}

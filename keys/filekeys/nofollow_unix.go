//go:build unix

package filekeys

import "syscall"

// noFollow makes open refuse a symbolic link as the last part of a path.
const noFollow = syscall.O_NOFOLLOW

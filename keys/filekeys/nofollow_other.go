//go:build !unix

package filekeys

// noFollow is nothing here; such systems are refused by the lock anyway.
const noFollow = 0

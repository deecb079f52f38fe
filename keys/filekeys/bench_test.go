package filekeys_test

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// BenchmarkOpen opens a store of 20 keys with the default key derivation.
func BenchmarkOpen(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "keys")
	s, err := filekeys.Create(b.Context(), dir, passphrase(), filekeys.Options{})
	if err != nil {
		b.Fatal(err)
	}
	createTwenty(b, s, "k")
	mustClose(b, s)
	for b.Loop() {
		s, err := filekeys.Open(b.Context(), dir, passphrase(), filekeys.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := sign(b, s, "k-0"); err != nil {
			b.Fatal(err)
		}
		mustClose(b, s)
	}
}

func createTwenty(b *testing.B, s *filekeys.Store, prefix string) {
	b.Helper()
	options := make([]keys.CreateOptions, 20)
	for i := range options {
		options[i] = keys.CreateOptions{Name: fmt.Sprintf("%s-%d", prefix, i), Purpose: keys.PurposeSign}
	}
	if _, err := s.Create(b.Context(), options...); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCreate20 makes 20 keys, in one call and in twenty, beside the raw rate of durable file writes.
func BenchmarkCreate20(b *testing.B) {
	b.Run("batch", func(b *testing.B) {
		s, _ := create(b, filekeys.Options{})
		for i := 0; b.Loop(); i++ {
			createTwenty(b, s, fmt.Sprintf("k%d", i))
		}
	})
	b.Run("single", func(b *testing.B) {
		s, _ := create(b, filekeys.Options{})
		for i := 0; b.Loop(); i++ {
			for j := range 20 {
				mustCreate(b, s, fmt.Sprintf("k%d-%d", i, j))
			}
		}
	})
	b.Run("raw20files", func(b *testing.B) {
		dir := b.TempDir()
		for b.Loop() {
			for j := range 20 {
				if err := durable.WriteFile(filepath.Join(dir, fmt.Sprint(j)), make([]byte, 300), 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("raw1fsync", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := f.WriteAt(make([]byte, 4096), 0); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		_ = f.Close()
	})
}

// BenchmarkSign compares a signature through the handle and through a batch with the bare algorithm.
func BenchmarkSign(b *testing.B) {
	s, _ := create(b, filekeys.Options{})
	mustCreate(b, s, "k")
	handle, err := keys.Signer(b.Context(), s, keys.Ref{Name: "k"}, keys.PurposeSign)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := gm.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	msg := gm.Message("the bytes of a manifest, some hundred of them in truth")
	for _, c := range []struct {
		name string
		s    crypto.Signer
	}{{"handle", handle}, {"raw", raw}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := gm.Sign(nil, c.s, msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("batch64", func(b *testing.B) {
		items := make([]keys.SignItem, 64)
		for i := range items {
			items[i].Message = msg
		}
		for b.Loop() {
			if _, err := s.Sign(b.Context(), keys.Ref{Name: "k"}, keys.PurposeSign, items); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/item")
	})
}

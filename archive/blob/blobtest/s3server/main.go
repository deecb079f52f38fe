// Command s3server is a real S3 server for tests: versitygw's S3 interface over a folder, with one account and no more. It
// is a module of its own, because nothing of yinxin imports it: it runs only as a separate process beside tests and is
// never shipped. See README.md in this folder.
//
// It does not fsync: it shows that a client speaks S3, and nothing about durability.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // whoever started it is gone when its end of the pipe is
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "s3server:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("s3server", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder of the buckets; their metadata lie in the folder meta beside it")
	listen := flags.String("listen", "127.0.0.1:7070", "address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	access, secret := os.Getenv("S3SERVER_ACCESS"), os.Getenv("S3SERVER_SECRET")
	if *dir == "" || access == "" || secret == "" {
		return errors.New("-dir, S3SERVER_ACCESS and S3SERVER_SECRET are needed")
	}
	buckets, sidecar := filepath.Join(*dir, "buckets"), filepath.Join(*dir, "meta")
	for _, d := range []string{buckets, sidecar} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	store, err := meta.NewSideCar(sidecar)
	if err != nil {
		return err
	}
	backend, err := posix.New(buckets, store, posix.PosixOpts{SideCarDir: sidecar})
	if err != nil {
		return err
	}
	defer backend.Shutdown()
	account := auth.Account{Access: access, Secret: secret, Role: auth.RoleAdmin}
	server, err := s3api.New(backend, middlewares.RootUserConfig{Access: access, Secret: secret}, "us-east-1",
		auth.NewIAMServiceSingle(account), nil, nil, nil, nil,
		s3api.WithQuiet(), s3api.WithKeepAlive(), s3api.WithConcurrencyLimiter(1000, 1000), s3api.WithMpMaxParts(10000))
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeMultiPort([]string{*listen}) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return nil // nobody needs what is left of it; connections that are kept alive would only hold it up
	}
}

// Package s3test starts a real S3 server for tests: the one that YINXIN_TEST_S3 names, which `make test` builds from
// archive/blob/blobtest/s3server. Tests alone import it.
package s3test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/archive/blob/s3blob"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Variable names the program.
const Variable = "YINXIN_TEST_S3"

// Server is a running server.
type Server struct {
	Address, Access, Secret string
	// Buckets is the folder in which each bucket is a folder and each object a file.
	Buckets string

	dir     string
	command *exec.Cmd
	stdin   io.Closer
	next    atomic.Int64
}

// patience is how long a server may take to come up.
const patience = 20 * time.Second

// Start starts a server that ends with the test. Without the program the test is skipped, and names what it needs.
func Start(t testing.TB) *Server {
	t.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		t.Skipf("needs s3server (%s; make test builds it)", Variable)
	}
	s := &Server{Access: "tests", Secret: "a secret of tests", dir: t.TempDir()}
	s.Buckets = filepath.Join(s.dir, "buckets")
	if err := s.start(program); err != nil {
		t.Fatal(errors.Join(fmt.Errorf("start the S3 server: %w", err), s.stop()))
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Server) start(program string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	host := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	s.Address = "http://" + host
	s.command = exec.Command(program, "-dir", s.dir, "-listen", host)
	s.command.Env = append(os.Environ(), "S3SERVER_ACCESS="+s.Access, "S3SERVER_SECRET="+s.Secret)
	if s.stdin, err = s.command.StdinPipe(); err != nil { // it ends with this pipe, so that a killed test leaves none behind
		return err
	}
	s.command.Stderr = os.Stderr
	if err := s.command.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(s.Address) // it listens or refuses
		if err == nil {
			return resp.Body.Close()
		}
	}
	return errors.New("it does not listen")
}

func (s *Server) stop() error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	err := s.stdin.Close()
	done := make(chan struct{})
	go func() {
		_ = s.command.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		err = errors.Join(err, s.command.Process.Kill())
		<-done
	}
	return err
}

// Bucket makes a bucket and gives the configuration of a store in it.
func (s *Server) Bucket(t testing.TB) s3blob.Config {
	t.Helper()
	client, err := minio.New(s.Address[len("http://"):], &minio.Options{Creds: credentials.NewStaticV4(s.Access, s.Secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("bucket-%d", s.next.Add(1))
	if err := client.MakeBucket(context.Background(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return s3blob.Config{
		Endpoint: s.Address, Bucket: name, Prefix: "hub/", AccessKey: s.Access, SecretKey: s.Secret, Dir: t.TempDir(), Part: 5 << 20,
	}
}

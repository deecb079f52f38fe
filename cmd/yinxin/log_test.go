package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/archive/tlog"
)

// TestLogOverHTTP: a log on a plain web server is copied and audited like one in a folder.
func TestLogOverHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := newTestLog("hub.example/log", filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	receiptFile, vkey := filepath.Join(dir, "late.yxr"), filepath.Join(dir, "log.vkey")
	if err := errors.Join(log.grow("", 0, 2, ""), log.grow(receiptFile, 2, 300, "")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vkey, []byte(log.key.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/log/", http.FileServer(http.Dir(log.dir))))
	t.Cleanup(server.Close)
	copied := filepath.Join(dir, "copy")
	for _, tt := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{"log", "fetch", server.URL + "/log", "--log", vkey, "--out", copied}, exitDone, "300 entries"},
		{[]string{"log", "fetch", server.URL + "/log/", "--log", vkey, "--out", copied}, exitDone, "audited"},
		{[]string{"log", "check-consistency", receiptFile, "--log", vkey, "--url", server.URL + "/log"}, exitDone, "passed"},
		{[]string{"log", "prove", "299", "--log", vkey, "--url", server.URL + "/log"}, exitDone, "proven"},
		{[]string{"log", "prove", "299", "--log", vkey, "--url", server.URL + "/elsewhere"}, exitNotFound, ""},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), tt.args, testEnv(&stdout, &stderr)); code != tt.want || !strings.Contains(stdout.String(), tt.says) {
			t.Errorf("%v: exit %d, want %d: %s%s", tt.args[:2], code, tt.want, stdout.String(), stderr.String())
		}
	}
}

func TestLogServerFaults(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/away/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/endless/", func(w http.ResponseWriter, _ *http.Request) {
		part := make([]byte, 1<<20)
		for range tlog.TileWidth*(tlog.MaxEntry+2)>>20 + 2 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		path string
		exit int
	}{{"/away", exitUnreachable}, {"/endless", exitFailed}, {"/none", exitNotFound}} {
		f, err := logAddress(server.URL + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Fetch(context.Background(), tlog.CheckpointPath)
		if exit, code := faultOf(err); exit != tt.exit {
			t.Errorf("%s: %v: exit %d (%s), want %d", tt.path, err, exit, code, tt.exit)
		}
	}
}

// TestFolderLogStaysInside: a path that leads out of the folder is never read.
func TestFolderLogStaysInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	inner := filepath.Join(dir, "log")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := folderLog(inner).Fetch(context.Background(), "../secret"); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("%v", err)
	}
	if _, err := folderLog(inner).Fetch(context.Background(), "checkpoint"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestFetchTileFromAFullOne: a partial tile that was dropped is the front of the full one.
func TestFetchTileFromAFullOne(t *testing.T) {
	t.Parallel()
	log, err := newTestLog("hub.example/log", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := log.grow("", 0, 10, ""); err != nil {
		t.Fatal(err)
	}
	whole := map[tlog.Tile][]byte{}
	for _, tile := range tlog.TilesOf(10) {
		if whole[tile], err = os.ReadFile(filepath.Join(log.dir, filepath.FromSlash(tile.Path()))); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.grow("", 10, 300, ""); err != nil {
		t.Fatal(err)
	}
	for tile, want := range whole {
		path := filepath.Join(log.dir, filepath.FromSlash(tile.Path()))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		got, err := tlog.FetchTile(context.Background(), folderLog(log.dir), tile)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, %v", tile.Path(), len(got), len(want), err)
		}
	}
}

// TestStatedGap: of a log that went on from an older state, what was seen of the lost part stays a fork, and the operator's
// statement is told with it; one that another key signed is not.
func TestStatedGap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := newTestLog("hub.example/log", filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := log.again(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	lost, vkey := filepath.Join(dir, "lost.yxr"), filepath.Join(dir, "log.vkey")
	err = errors.Join(log.grow("", 0, 2, ""), log.grow(lost, 2, 5, ""), other.grow("", 0, 2, ""), other.grow("", 2, 9, "x"),
		os.WriteFile(vkey, []byte(log.key.String()), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	note, err := os.ReadFile(filepath.Join(log.dir, tlog.CheckpointPath))
	if err != nil {
		t.Fatal(err)
	}
	gap := tlog.Gap{Origin: "hub.example/log", Hub: "HUB", KeptSize: 2, LostSize: 5, LostCheckpoint: string(note), By: "wang", Reason: "the disk failed"}
	signed, err := gap.Sign(log.signer)
	if err != nil {
		t.Fatal(err)
	}
	told := signed
	mux := http.NewServeMux()
	mux.Handle("/log/", http.StripPrefix("/log/", http.FileServer(http.Dir(other.dir))))
	mux.HandleFunc("/log/gaps", func(w http.ResponseWriter, _ *http.Request) {
		err := json.NewEncoder(w).Encode(map[string]any{"items": []any{map[string]string{"statement": string(told)}}})
		if err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, statement := range map[string][]byte{"stated": signed, "forged": bytes.Replace(signed, []byte("disk"), []byte("dusk"), 1)} {
		told = statement
		var stdout, stderr bytes.Buffer
		args := []string{"log", "check-consistency", lost, "--log", vkey, "--url", server.URL + "/log", "--evidence", dir}
		code := run(context.Background(), args, testEnv(&stdout, &stderr))
		says := strings.Contains(stdout.String(), "entries 2 to 4 are lost (wang, the disk failed)")
		if code != exitFailed || !strings.Contains(stdout.String(), "fork") || says != (name == "stated") {
			t.Errorf("%s: exit %d, %s%s", name, code, stdout.String(), stderr.String())
		}
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/receipt"
)

// historyMain is the command history of the scripts. It leaves logs of one key, log.vkey:
//
//	log        300 entries, in batches of 2, 3 and 295
//	rolled     the same, as it was after the first batch
//	forked     300 entries, of which the fourth is another one
//	damaged    log, with a byte changed in a full tile
//
// and receipts early.yxr (of the first batch), late.yxr (of the last) and forked.yxr (of the fork's last).
func historyMain() int {
	if err := history(); err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		return 1
	}
	return 0
}

func history() error {
	log, err := newTestLog("hub.example/log", "log")
	if err != nil {
		return err
	}
	if err := os.WriteFile("log.vkey", []byte(log.key.String()+"\n"), 0o644); err != nil {
		return err
	}
	if err := log.grow("early.yxr", 0, 2, ""); err != nil {
		return err
	}
	if err := os.CopyFS("rolled", os.DirFS("log")); err != nil {
		return err
	}
	fork, err := log.again("forked")
	if err != nil {
		return err
	}
	if err := errors.Join(fork.grow("", 0, 2, ""), fork.grow("", 2, 5, "x"), fork.grow("forked.yxr", 5, 300, "")); err != nil {
		return err
	}
	if err := errors.Join(log.grow("", 2, 5, ""), log.grow("late.yxr", 5, 300, "")); err != nil {
		return err
	}
	if err := os.CopyFS("damaged", os.DirFS("log")); err != nil {
		return err
	}
	path := filepath.Join("damaged", "tile", "0", "000")
	tile, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tile = bytes.Clone(tile)
	tile[100] ^= 1
	return os.WriteFile(path, tile, 0o644)
}

// again is a second log with the same key.
func (l *testLog) again(dir string) (*testLog, error) {
	other := *l
	other.dir = dir
	return &other, other.open()
}

// grow logs the entries from and up to, in one batch, and writes the receipt of the last.
func (l *testLog) grow(path string, from, to int, variant string) error {
	var last []byte
	var entries [][]byte
	for i := from; i < to; i++ {
		var err error
		if last, err = evidence(i, variant).Marshal(); err != nil {
			return err
		}
		entries = append(entries, last)
	}
	p, err := l.add(entries...)
	if err != nil || path == "" {
		return err
	}
	return writeReceipt(path, last, p)
}

func writeReceipt(path string, entry []byte, p tlog.Publication) error {
	r, err := receipt.Compose(entry, p.Leaves[len(p.Leaves)-1], p.Head.Note, nil, nil)
	if err != nil {
		return err
	}
	body, err := r.Marshal()
	if err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o644)
}

// evidence is an entry in which the hub alone speaks.
func evidence(i int, variant string) receipt.Entry {
	id := fmt.Sprintf("entry-%d%s", i, variant)
	return receipt.Entry{
		ID: id, Event: transport.SubmissionAcceptance, Time: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Exchange: "exchange-" + id,
		DocumentSM3: gm.SM3([]byte(id)), DocumentSHA256: gm.SM3([]byte(id), []byte("2")), Object: gm.SM3([]byte(id), []byte("3")),
		Sender: "YXZF", Hub: "HUB",
	}
}

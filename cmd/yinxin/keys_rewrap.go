package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// manifestName is the file that makes a folder a record package.
const manifestName = archive.ManifestName

// maxWrappedLine bounds a line of wrapped data keys, in bytes.
const maxWrappedLine = 1 << 20

// rewrapped is what keys rewrap did.
type rewrapped struct {
	Key string `json:"key"`
	// Total lines are in the output; Resumed of them were there from an earlier run; Moved changed their version now.
	Total   int `json:"total"`
	Resumed int `json:"resumed"`
	Moved   int `json:"moved"`
	// Oldest is the lowest version in the output: minima may be raised up to it.
	Oldest int `json:"oldest_in_use"`
}

// rewrap moves the lines of one file to another.
func (e *env) rewrap(cmd *cobra.Command, s keyStore, name, in, out string) (err error) {
	source, err := os.Open(in)
	if err != nil {
		return err
	}
	defer closing(&err, source)
	target, err := os.OpenFile(out, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer closing(&err, target)
	r := rewrapped{Key: name}
	if err := r.resume(target); err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, maxWrappedLine)
	for n := range r.Resumed {
		if !lines.Scan() {
			return refuse("malformed", exitRefused, "%s has %d lines, %s only %d: they do not belong together", out, r.Resumed, in, n)
		}
	}
	for {
		batch, err := readBatch(lines)
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		if len(batch) == 0 {
			break
		}
		if err := r.move(cmd, s, target, batch); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "rewrapped %d\n", r.Total)
	}
	return e.result(jsonFlag(cmd), r, "%s\t%d data keys, %d moved\n", name, r.Total, r.Moved)
}

// readBatch reads the lines of one call.
func readBatch(lines *bufio.Scanner) ([]wrappedLine, error) {
	var batch []wrappedLine
	for len(batch) < keys.MaxBatch && lines.Scan() {
		var one wrappedLine
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, refuse("malformed", exitNotFound, "line %d of the batch is no wrapped data key", len(batch)+1)
		}
		batch = append(batch, one)
	}
	return batch, lines.Err()
}

// move rewraps one batch and writes it, durably, before the next one begins.
func (r *rewrapped) move(cmd *cobra.Command, s keyStore, target *os.File, batch []wrappedLine) error {
	items := make([]keys.Ciphertext, len(batch))
	for i, one := range batch {
		n, data, err := gmwire.ParseVersioned(one.Ciphertext)
		if err != nil {
			return fmt.Errorf("data key %q: %w", one.ID, err)
		}
		items[i] = keys.Ciphertext{Version: n, Data: data, AAD: one.AssociatedData}
	}
	moved, err := s.Rewrap(cmd.Context(), r.Key, items)
	if err != nil {
		return fmt.Errorf("data keys %q to %q: %w", batch[0].ID, batch[len(batch)-1].ID, err)
	}
	var out []byte
	for i, m := range moved {
		if m.Err != nil { // the whole batch is left for the next run: lines keep their order
			return fmt.Errorf("data key %q: %w", batch[i].ID, m.Err)
		}
		c := m.Wrapped
		if c.Version != items[i].Version {
			r.Moved++
		}
		r.seen(c.Version)
		batch[i].Ciphertext = gmwire.Versioned(c.Version, c.Data)
		line, err := json.Marshal(batch[i])
		if err != nil {
			return err
		}
		out = append(append(out, line...), '\n')
	}
	if _, err := target.Write(out); err != nil {
		return err
	}
	return target.Sync()
}

func (r *rewrapped) seen(version int) {
	r.Total++
	if r.Oldest == 0 || version < r.Oldest {
		r.Oldest = version
	}
}

// resume counts the whole lines that are there and cuts off what a crash left behind them.
func (r *rewrapped) resume(target *os.File) error {
	whole := int64(0)
	lines := bufio.NewReader(target)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var one wrappedLine
		if err == nil {
			err = json.Unmarshal(line, &one)
		}
		if err != nil {
			return refuse("malformed", exitNotFound, "it is no output of keys rewrap: %w", err)
		}
		n, _, err := gmwire.ParseVersioned(one.Ciphertext)
		if err != nil {
			return err
		}
		r.seen(n)
		r.Resumed++
		whole += int64(len(line))
	}
	if err := target.Truncate(whole); err != nil {
		return err
	}
	_, err := target.Seek(whole, io.SeekStart)
	return err
}

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"yinxin/document/fonts"
	"yinxin/document/pdf"
	"yinxin/seal"
	"yinxin/transport/api"
	"yinxin/verdict"
)

// seals gives the register that the flags name, nil where they name none.
func (f *verifyFlags) seals(ctx context.Context, e *env) (func(id string) (seal.Record, error), error) {
	var list api.List[api.Seal]
	switch {
	case f.register != "" && f.hub:
		return nil, usage("want --seals or --hub, not both")
	case f.register != "":
		data, err := readInput(f.register)
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&list); err != nil {
			return nil, refuse("malformed", exitNotFound, "%s is no register of seals: %w", f.register, err)
		}
	case f.hub:
		var err error
		if list, err = e.hubSeals(ctx); err != nil {
			fmt.Fprintf(e.stderr, "warning: the hub's register of seals could not be consulted: %v\n", err)
			return nil, nil //nolint:nilnil // judged without it, as was told
		}
	default:
		return nil, nil //nolint:nilnil // no register is an answer
	}
	return recordsOf(list.Items)
}

// hubSeals asks the hub for the seals that the account may see.
func (e *env) hubSeals(ctx context.Context) (api.List[api.Seal], error) {
	c, err := e.connect()
	if err != nil {
		return api.List[api.Seal]{}, err
	}
	return c.Seals(ctx, "")
}

// recordsOf makes a register of a list. Two entries of one seal are refused: nobody could tell which one counts.
func recordsOf(list []api.Seal) (func(id string) (seal.Record, error), error) {
	records := make(map[string]seal.Record, len(list))
	for _, s := range list {
		r := seal.Record{ID: s.ID, Name: s.Name, Office: s.Office, Keeper: s.Keeper, From: s.From, To: s.To}
		if n, err := hex.Decode(r.SM3[:], []byte(s.SM3)); err != nil || n != len(r.SM3) {
			return nil, refuse("malformed", exitNotFound, "register of seals: %s has no SM3", s.ID)
		}
		for _, c := range s.History {
			var err error
			if r, err = r.Append(seal.Change{To: seal.Status(c.To), At: c.At, By: c.By, Reason: c.Reason}); err != nil {
				return nil, refuse("malformed", exitNotFound, "register of seals: %w", err)
			}
		}
		if _, twice := records[s.ID]; twice {
			return nil, refuse("malformed", exitNotFound, "register of seals: %s stands there twice", s.ID)
		}
		records[s.ID] = r
	}
	return func(id string) (seal.Record, error) {
		r, ok := records[id]
		if !ok {
			return r, seal.ErrUnknownSeal
		}
		return r, nil
	}, nil
}

// printPDF prints a report into a PDF.
func (e *env) printPDF(r *verdict.Report, path string, lang verdict.Language) error {
	if lang == "" {
		lang = verdict.Chinese
	}
	var b bytes.Buffer
	if err := pdf.WriteReport(&b, r, pdf.ReportOptions{Language: lang, At: e.now(), Faces: fonts.Embedded()}); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return writeFile(path, b.Bytes())
}

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/document/fonts"
	"yinxin/document/pdf"
	"yinxin/seal"
	"yinxin/transport/api"
	"yinxin/verdict"
)

// seals gives the register that the flags name, nil where they name none.
func (f *verifyFlags) seals(ctx context.Context, e *env) (func(id string) (seal.Record, error), error) {
	switch {
	case f.register != "" && f.hub:
		return nil, usage("want --seals or --hub, not both")
	case f.register != "":
		data, err := readInput(f.register)
		if err != nil {
			return nil, err
		}
		var list api.List[api.Seal]
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&list); err != nil {
			return nil, refuse("malformed", exitNotFound, "%s is no register of seals: %w", f.register, err)
		}
		switch {
		case list.Next != "":
			fmt.Fprintf(e.stderr, "warning: %s is one page of a register of seals; 'yinxin seals ls --json' without --limit and --after writes all\n", f.register)
		case len(list.Items) == 0:
			fmt.Fprintf(e.stderr, "warning: %s is a register that holds no seal\n", f.register)
		}
		return recordsOf(list)
	case f.hub:
		return e.hubSeals(ctx), nil
	}
	return nil, nil //nolint:nilnil // no register is an answer
}

// hubSeals asks the hub of the last login about each seal as it comes. A hub that cannot be reached is told once, and the
// documents are judged without it; one that answers anything but yes or no leaves the verdict open.
func (e *env) hubSeals(ctx context.Context) func(id string) (seal.Record, error) {
	c, err := e.connect()
	away := func(err error) {
		fmt.Fprintf(e.stderr, "warning: the hub's register of seals could not be consulted: %v\n", err)
	}
	if err != nil {
		away(err)
		return nil
	}
	told := false
	return func(id string) (seal.Record, error) {
		if told {
			return seal.Record{}, seal.ErrNoRegister
		}
		s, err := c.SealStanding(ctx, id)
		problem, answered := errors.AsType[*api.Problem](err)
		switch {
		case answered && problem.Code == api.NotFound:
			return seal.Record{}, seal.ErrUnknownSeal
		case answered:
			return seal.Record{}, err
		case err != nil:
			told = true
			away(err)
			return seal.Record{}, seal.ErrNoRegister
		}
		return recordOf(api.Seal{ID: s.ID, Name: s.Name, Office: s.Office, SM3: s.SM3, From: s.From, To: s.To, History: s.History})
	}
}

// recordsOf makes a register of a list; one that goes on says so of what it does not hold. Two entries of one seal are refused: nobody could tell which one counts.
func recordsOf(list api.List[api.Seal]) (func(id string) (seal.Record, error), error) {
	records := make(map[string]seal.Record, len(list.Items))
	for _, s := range list.Items {
		r, err := recordOf(s)
		if err != nil {
			return nil, err
		}
		if _, twice := records[s.ID]; twice {
			return nil, refuse("malformed", exitNotFound, "register of seals: %s stands there twice", s.ID)
		}
		records[s.ID] = r
	}
	return func(id string) (seal.Record, error) {
		r, ok := records[id]
		switch {
		case ok:
			return r, nil
		case list.Next != "":
			return r, fmt.Errorf("%w: %w", seal.ErrUnknownSeal, seal.ErrPartialRegister)
		}
		return r, seal.ErrUnknownSeal
	}, nil
}

// recordOf reads one entry of a register.
func recordOf(s api.Seal) (seal.Record, error) {
	r := seal.Record{ID: s.ID, Name: s.Name, Office: s.Office, Keeper: s.Keeper, From: s.From, To: s.To}
	if sum, err := hex.DecodeString(s.SM3); err != nil || copy(r.SM3[:], sum) != len(r.SM3) || len(sum) != len(r.SM3) {
		return r, refuse("malformed", exitNotFound, "register of seals: %s has no SM3", s.ID)
	}
	for _, c := range s.History {
		var err error
		if r, err = r.Append(seal.Change{To: seal.Status(c.To), At: c.At, By: c.By, Reason: c.Reason}); err != nil {
			return r, refuse("malformed", exitNotFound, "register of seals: %w", err)
		}
	}
	return r, nil
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

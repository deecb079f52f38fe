package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// Setup lists offices, people and seals to begin with, as examples/exchange.yaml does.
type Setup struct {
	Offices []SetupOffice `yaml:"offices"`
	Demo    SetupDemo     `yaml:"demo"`
}

// SetupOffice is one office with its people and, where it has one, its seal.
type SetupOffice struct {
	Code     string         `yaml:"code"`
	Name     string         `yaml:"name"`
	Aliases  []string       `yaml:"aliases"`
	Parent   string         `yaml:"parent"`
	Archive  bool           `yaml:"archive"`
	Seal     *SetupSeal     `yaml:"seal"`
	Accounts []SetupAccount `yaml:"accounts"`
}

// SetupSeal is a round seal; Diameter in mm.
type SetupSeal struct {
	Name       string  `yaml:"name"`
	BottomLine string  `yaml:"bottom_line"`
	Diameter   float64 `yaml:"diameter"`
	Keeper     string  `yaml:"keeper"`
}

// SetupAccount is one person.
type SetupAccount struct {
	ID    string           `yaml:"id"`
	Name  string           `yaml:"name"`
	Roles []directory.Role `yaml:"roles"`
}

// SetupDemo says what the demonstration sends.
type SetupDemo struct {
	Document string   `yaml:"document"`
	Sender   string   `yaml:"sender"`
	To       []string `yaml:"to"`
	CC       []string `yaml:"cc"`
}

// ParseSetup reads a setup strictly: unknown keys are refused.
func ParseSetup(data []byte) (*Setup, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	s := new(Setup)
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("parse setup: %w", err)
	}
	if err := dec.Decode(new(Setup)); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse setup: more than one document")
	}
	return s, nil
}

// Login is an account that a setup made, with the secret that is shown once.
type Login struct {
	Account string           `json:"account"`
	Office  string           `json:"office"`
	Name    string           `json:"name"`
	Secret  string           `json:"secret"`
	Roles   []directory.Role `json:"roles"`
}

// Apply brings offices, accounts and seals of the setup into being through the registrar and the directory, as an
// administrator would one by one. What is there already is left alone, so that an interrupted setup can be repeated. The
// logins are those that were made now.
func (s *System) Apply(ctx context.Context, setup *Setup) ([]Login, error) {
	made := make([][]Login, len(setup.Offices))
	g, ctx := errgroup.WithContext(ctx)
	for i, o := range setup.Offices { // in order: a superior office comes before its own; people and seals go beside
		if err := s.applyOffice(ctx, o); err != nil {
			return nil, errors.Join(fmt.Errorf("set up %s: %w", o.Code, err), g.Wait())
		}
		g.Go(func() error { return s.applySeal(ctx, o) })
		made[i] = make([]Login, len(o.Accounts))
		for j, a := range o.Accounts {
			g.Go(func() (err error) {
				made[i][j], err = s.applyAccount(ctx, o.Code, a)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	return slices.DeleteFunc(slices.Concat(made...), func(l Login) bool { return l.Secret == "" }), nil
}

func (s *System) applyOffice(ctx context.Context, o SetupOffice) error {
	_, err := s.Directory.Organisation(ctx, o.Code)
	if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	_, err = s.Registrar.Establish(ctx, setupPerson, directory.Organisation{
		Code: o.Code, Name: o.Name, Aliases: o.Aliases, Parent: o.Parent, Archive: o.Archive,
	})
	return err
}

// applyAccount makes an account; of one that is there already the secret is empty.
func (s *System) applyAccount(ctx context.Context, code string, a SetupAccount) (Login, error) {
	l := Login{Account: a.ID, Office: code, Name: a.Name, Roles: a.Roles}
	_, err := s.Directory.Account(ctx, a.ID)
	if !errors.Is(err, directory.ErrNotFound) {
		return l, err
	}
	l.Secret, err = s.Directory.AddAccount(ctx, directory.Account{ID: a.ID, Org: code, Name: a.Name, Roles: a.Roles}, "")
	return l, err
}

func (s *System) applySeal(ctx context.Context, o SetupOffice) error {
	have, err := s.Database.SealsOf(ctx, o.Code)
	if err != nil || o.Seal == nil || len(have) > 0 {
		return err
	}
	_, err = s.Registrar.MakeSeal(ctx, setupPerson, office.SealRequest{
		Office: o.Code, Name: o.Seal.Name, BottomLine: o.Seal.BottomLine, Diameter: o.Seal.Diameter,
		Keeper: o.Seal.Keeper,
	})
	return err
}

// setupPerson stands in the audit for acts of the setup itself.
var setupPerson = office.Person{Account: "setup"}

// ArchiveCode is the code of the office that the setup marks as the archive, empty if it marks none.
func (s *Setup) ArchiveCode() string {
	for _, o := range s.Offices {
		if o.Archive {
			return o.Code
		}
	}
	return ""
}

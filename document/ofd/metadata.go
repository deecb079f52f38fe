package ofd

import (
	"errors"
	"fmt"

	"yinxin/document"
)

// ErrNoMetadata means that the package was not written with the metadata of an official document.
var ErrNoMetadata = errors.New("ofd: no official document's metadata in the package")

// Metadata reads back the official document's metadata that [Write] put into the first document. A package made by
// other software gives [ErrNoMetadata]; one that bears a classification gives the refusal of
// [document.ParseMetadata].
func (p *Package) Metadata() (document.Metadata, error) {
	v, ok := p.Info().CustomValue(document.MetadataKey)
	if !ok {
		return document.Metadata{}, ErrNoMetadata
	}
	m, err := document.ParseMetadata([]byte(v))
	if err != nil {
		return document.Metadata{}, fmt.Errorf("read metadata of the package: %w", err)
	}
	return m, nil
}

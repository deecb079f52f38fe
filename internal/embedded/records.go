package embedded

import (
	"context"
	"errors"

	"yinxin/archive"
)

// FindRecords searches the archive. office limits the result to that office's records; empty means an archivist.
func (s *System) FindRecords(ctx context.Context, text, number, office string) ([]archive.Record, error) {
	return s.Archive.Find(ctx, archive.Query{Text: text, Number: number, Office: office})
}

// UnpackRecord writes the package of a record into a folder that is made and must be empty.
func (s *System) UnpackRecord(ctx context.Context, idOrCode, office, dir string) (err error) {
	_, rc, err := s.Archive.Retrieve(ctx, idOrCode, office)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rc.Close()) }()
	return archive.Unpack(rc, rc.Size(), dir)
}

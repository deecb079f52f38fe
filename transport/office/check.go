package office

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// Measure compares the pages of an OFD with GB/T 9704-2012, as they are drawn.
type Measure func(document []byte) (layout.Report, error)

// check makes the sender's report: no classification mark, the layout as measured, every seal passed. A document that
// does not pass is not packed.
func (s *Service) check(ctx context.Context, sealedOFD []byte, known time.Time, uses []envelope.SealUse) (envelope.Report, error) {
	return CheckReport(sealedOFD, s.judging(ctx, known), s.Measure, uses)
}

// CheckReport checks a sealed document as the sender's side must before packing, and returns the report that its manifest
// will carry. A classified document gives document.ErrClassified; one whose seal does not pass ErrSeal; one that was laid
// out by GB/T 9704, as its metadata say, and whose pages measure otherwise *document.InvalidError with every fault. Of a
// document without metadata, made by other software, nobody says that it keeps to that standard: it is not measured, and
// the report has no finding of its layout.
func CheckReport(sealedOFD []byte, o seal.VerifyOptions, measure Measure, uses []envelope.SealUse) (envelope.Report, error) {
	pkg, err := checkUnclassified(sealedOFD)
	if err != nil {
		return envelope.Report{}, err
	}
	f := ofdseal.Verify(pkg, o)
	if err := unpassed(f); err != nil {
		return envelope.Report{}, err
	}
	findings := []envelope.Finding{{Check: envelope.FindingClassification, Verdict: verdict.Passed}}
	measured, err := checkLayout(pkg, sealedOFD, measure)
	if err != nil {
		return envelope.Report{}, err
	}
	if measured {
		findings = append(findings, envelope.Finding{Check: envelope.FindingLayout, Verdict: verdict.Passed})
	}
	findings = append(findings, envelope.Finding{Check: envelope.FindingSeals, Verdict: f.Verdict})
	return envelope.Report{Tool: "yinxin-1", Findings: findings, Seals: uses}, nil
}

// errSealFailed says beside ErrSeal that the verdict is failed or rejected: looking again does not change it.
var errSealFailed = errors.New("for good")

// unpassed is ErrSeal unless the verdict on a sealed file is passed.
func unpassed(f verdict.File) error {
	switch f.Verdict {
	case verdict.Passed:
		return nil
	case verdict.Failed, verdict.Rejected:
		return fmt.Errorf("%w: %w %s (%s)", ErrSeal, errSealFailed, f.Verdict, f.Reason)
	}
	return fmt.Errorf("%w: %s (%s)", ErrSeal, f.Verdict, f.Reason)
}

// measureDraft measures a draft before anybody is asked for its seal.
func (s *Service) measureDraft(d *Draft) error {
	pkg, err := ofd.Open(d.OFD)
	if err != nil {
		return err
	}
	_, err = checkLayout(pkg, d.OFD, s.Measure)
	return err
}

// checkLayout measures a document that has metadata, and reports whether it did.
func checkLayout(pkg *ofd.Package, data []byte, measure Measure) (measured bool, err error) {
	if _, err := pkg.Metadata(); errors.Is(err, ofd.ErrNoMetadata) {
		return false, nil
	}
	r, err := measure(data)
	if err != nil {
		return false, err
	}
	if r.Verdict == verdict.Passed {
		return true, nil
	}
	invalid := &document.InvalidError{}
	for _, m := range r.Faults() {
		want := fmt.Sprintf("%.2f", m.Expected)
		if m.Most != nil {
			want += fmt.Sprintf(" to %.2f", *m.Most)
		}
		invalid.Faults = append(invalid.Faults, document.Fault{
			Field: "layout/" + string(m.Element), Code: m.Measure,
			Detail: fmt.Sprintf("page %d: %.2f, not %s ± %.2f (GB/T 9704-2012 %s) %s", m.Page, m.Measured, want, m.Tolerance, m.Clause, m.Detail),
		})
	}
	return false, invalid
}

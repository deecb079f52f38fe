package ofdseal

import (
	"yinxin/document/ofd"
	"yinxin/seal/ses"
)

// Shown is the picture of a seal at one place of a page, as a signature of the package puts it there. Whether the
// signature holds is for Verify to say.
type Shown struct {
	// Signature is the signature's identifier, Seal the seal's own name.
	Signature, Seal string
	// PageID is the page's identifier; Boundary is in mm from its top left corner, Clip in mm from the boundary's.
	PageID   string
	Boundary ofd.Box
	Clip     *ofd.Box
	// Format is that of the picture as the seal states it.
	Format  string
	Picture []byte
}

// ShownSeals lists where the signatures of the first document show their seals, for whoever draws or measures the pages.
// A signature that cannot be read shows nothing.
func ShownSeals(pkg *ofd.Package) ([]Shown, error) {
	b := pkg.Bodies()[0]
	if b.Signatures == "" {
		return nil, nil
	}
	if !pkg.Has(b.Signatures) {
		return nil, nil
	}
	l, err := readList(pkg, b.Signatures)
	if err != nil {
		return nil, err
	}
	var out []Shown
	for _, e := range l.entries {
		data, ok := pkg.Entry(e.describe)
		if !ok || e.kind != typeSeal {
			continue
		}
		d, err := readDescription(e.describe, data)
		if err != nil {
			return nil, err
		}
		value, ok := pkg.Entry(d.value)
		if !ok {
			continue
		}
		sig, err := ses.ParseSignature(value)
		if err != nil || sig.ToBeSigned.Seal == nil {
			continue
		}
		info := sig.ToBeSigned.Seal.Info
		for _, s := range d.stamps {
			out = append(out, Shown{
				Signature: e.id, Seal: info.Property.Name, PageID: s.page, Boundary: s.boundary, Clip: s.clip,
				Format: info.Picture.Type, Picture: info.Picture.Data,
			})
		}
	}
	return out, nil
}

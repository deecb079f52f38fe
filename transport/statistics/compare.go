package statistics

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Difference is one figure in which two reports differ. Office is empty for a figure of all.
type Difference struct {
	Office string `json:"office"`
	Figure string `json:"figure"` // its name in JSON
	Claim  string `json:"claim"`  // as JSON; "null" where there is none
	Log    string `json:"log"`
}

// Compare holds a claimed report against the one that was counted from the log, figure by figure.
func Compare(claim, counted Report) ([]Difference, error) {
	differ := []Difference{}
	one := func(office string, a, b any) error {
		got, err := compareFields(office, a, b)
		differ = append(differ, got...)
		return err
	}
	if err := one("", claim.Total, counted.Total); err != nil {
		return nil, err
	}
	type ratios struct {
		Interconnection Ratio `json:"interconnection"`
	}
	if err := one("", ratios{claim.Interconnection}, ratios{counted.Interconnection}); err != nil {
		return nil, err
	}
	claims, counts := byOffice(claim), byOffice(counted)
	for _, code := range slices.Sorted(maps.Keys(union(claims, counts))) {
		if err := one(code, claims[code], counts[code]); err != nil {
			return nil, err
		}
	}
	return differ, nil
}

// byOffice lists the figures by the office; an office that a report does not name has done nothing.
func byOffice(r Report) map[string]Figures {
	m := map[string]Figures{}
	for _, f := range r.Offices {
		if f.ReturnReasons == nil {
			f.ReturnReasons = map[string]int{}
		}
		m[f.Office] = f
	}
	return m
}

func union(a, b map[string]Figures) map[string]bool {
	all := map[string]bool{}
	for code := range a {
		all[code] = true
	}
	for code := range b {
		all[code] = true
	}
	return all
}

// compareFields compares two values of one type by the fields of their JSON.
func compareFields(office string, claim, counted any) ([]Difference, error) {
	a, err := fields(claim)
	if err != nil {
		return nil, err
	}
	b, err := fields(counted)
	if err != nil {
		return nil, err
	}
	var differ []Difference
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if name != "office" && string(a[name]) != string(b[name]) {
			differ = append(differ, Difference{Office: office, Figure: name, Claim: string(a[name]), Log: string(b[name])})
		}
	}
	return differ, nil
}

func fields(v any) (map[string]json.RawMessage, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("compare figures: %w", err)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("compare figures: %w", err)
	}
	return m, nil
}

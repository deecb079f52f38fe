package layout

// Rules lists the names of the checker's table, for the test that each of them is used.
func Rules() []string {
	var out []string
	for name := range expectations() {
		out = append(out, name)
	}
	return out
}

package main

import "encoding/json"

// printJSON prints a result for programs.
func (e *env) printJSON(v any) error { return json.NewEncoder(e.stdout).Encode(v) }

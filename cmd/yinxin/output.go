package main

import (
	"encoding/json"
	"time"
)

// printJSON prints a result for programs.
func (e *env) printJSON(v any) error { return json.NewEncoder(e.stdout).Encode(v) }

// moment shows a time in the local zone, and which zone that is.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 -07:00") }

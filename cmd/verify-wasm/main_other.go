//go:build !js

// Command verify-wasm is internal/verify compiled for browsers; see main.go. Here it only says so.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "verify-wasm runs in browsers: build it with GOOS=js GOARCH=wasm (make wasm)")
	os.Exit(2)
}

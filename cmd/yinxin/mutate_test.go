package main

import (
	"fmt"
	"os"
)

// mutateMain is the command mutate of the scripts.
func mutateMain(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: mutate KIND ARGUMENT...")
		return 2
	}
	fmt.Fprintf(os.Stderr, "mutate: no mutation %s\n", args[0])
	return 2
}

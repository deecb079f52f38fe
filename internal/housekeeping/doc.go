// Command housekeeping does what the Makefile promises: it builds the tools, runs the checks, the tests, the fuzz
// smoke, the cross-builds and the benchmarks, says how many minutes each part took, and closes with one line,
// "N passed, N failed".
//
// It promises three things. A part that fails never hides the parts after it: all of them run, and the exit status is
// 1 if any failed. A tool that cannot be had is no silent skip: it is listed at the end, and the exit status is 1. A
// Go test that skips counts as failed, unless its message says "needs TOOL" and that tool really is missing; then the
// tool is listed.
//
// It does not touch anything outside the repository, the cache folder ($YINXIN_CACHE, or "yinxin" in the user's cache
// folder, or .cache in the repository) and, for root on Debian, the packages named in tools.go.
// It uses the standard library alone, so that it builds at once on a clean machine.
package main

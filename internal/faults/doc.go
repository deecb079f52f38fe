// Package faults holds hubs to their promises while machines, databases and processes fail: the
// experiments of `make faults`. Each runs real processes of yinxind on a real PostgreSQL server,
// under load from clients that keep a journal of what they asked for and what was acknowledged.
// One auditor judges them all: nothing acknowledged is lost, nothing takes effect twice, the log
// is one tree of which every published checkpoint is a prefix, and every receipt verifies.
//
// An experiment that cannot fail shows nothing. So each has a mutant: a change that breaks the
// promise, applied to a copy of the sources and built there (never a switch in the shipped code),
// which the auditor must catch. docs/scale.md lists the experiments, and says which mutants were seen caught.
package faults

// Package statistics counts what offices did with official documents (绩效统计, 电子监察), from the entries of the evidence
// log and nothing else.
//
// It promises that whoever holds a copy of the log gets the same figures as anybody else: no database, no clock of the
// hub's and no word of an operator goes into them. Every ratio is given with its numerator and its denominator. What does
// not fit together in the evidence (a sign-for of what was never delivered, a broken chain, a limit that passed without
// its mark) is named as a finding with the index of the entry, and never counted in silence.
//
// It does not check that the entries are those of a signed log; archive/tlog does that while it reads them. It cannot
// count what leaves no evidence: documents on paper, or an office that looked and did nothing. Durations are by the wall
// clock.
package statistics

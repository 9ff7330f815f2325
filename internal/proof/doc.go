// Package proof judges the judges: it lists mutants of the mesh, small named
// defects of what a scenario applies to a real cluster, each with the promises
// that must be violated by it, and says afterwards whether they were and no
// other was. A harness that is always green is worse than none.
//
// A mutant is its scenario with one change: a weight, a slash, a label that is
// missing. The scenario's own load, gate and claims find out; nothing here looks
// at traffic or decides what is violated. Defects of a record, which need no
// cluster, are package spoil's; both end in one matrix.
package proof

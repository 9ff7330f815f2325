// Package peer lists what Gateway API's own conformance suite is asked beside
// ours: the tests of its mesh profile, and mutants, each a small defect of one of
// upstream's routes or of how upstream's namespace is enrolled. Where the same
// defect is a mutant of package proof it has that one's name.
//
// It is the leaf that both the harness and the compiled suite (suites/upstream, a
// module of its own) stand on, so it brings no client of the API server along.
// Playing is package play's, the table package table's.
package peer

// Package play plays Gateway API's own conformance suite on a mesh: it compiles
// the suite, has it lay out its namespaces, enrols them, and orders its tests, on
// the sound mesh and with one mutant after the other.
package play

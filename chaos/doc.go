// Package chaos says what an experiment is: load, a steady state, one fault
// with its life cycle, and windows (baseline, fault, recovery, after) that are
// judged apart, each against its own budget. It also draws random schedules of
// faults from a seed, and shrinks one that breaks a promise to the few faults
// that are needed for it.
//
// It knows no cluster: faults are in chaos/fault, the way to undo them after a
// crash in chaos/pledge and chaos/watchdog, and an experiment is played by
// internal/scene and judged by internal/claim like any other.
package chaos

// Package upstream runs the mesh profile of Gateway API's own conformance suite,
// with single defects in the manifests that its tests apply. `wayproof compare`
// compiles it (build tag cluster) and starts it with one order after the other;
// what it says is read off its output.
//
// It is a module of its own, so that upstream's suite, and the newer client that
// it needs, are no dependency of the product.
package upstream

// Package kube is wayproof's way to a Kubernetes API server: connect, apply
// with strict field validation, wait for conditions at the observed
// generation, exec, proxy, evict, and remove by label everything that a run
// made.
//
// It knows ownership: what it creates carries a run label, and what it did not
// create it does not change. It is no general client: it judges nothing, holds
// no opinion about Istio beyond the conditions that Istio writes, and never
// caches objects.
package kube

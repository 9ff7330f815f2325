// Package worker is a load worker and its driver: Serve is what `agent attack`
// does in a pod, Driver is how the harness uses it from outside, over an exec
// stream that the caller provides. What they say is package wire's.
//
// It knows no Kubernetes: a pod, a child process and two pipes are all the same.
package worker

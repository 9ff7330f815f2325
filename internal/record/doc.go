// Package record holds what a run of wayproof saw: the plan, the requests and
// their arrivals, samples of the cluster's state, events, windows, versions
// and one seed. It is plain data with a versioned schema, written in stages so
// that a crash loses nothing that was already on disk.
//
// It judges nothing (package claim does) and knows neither Kubernetes nor a
// test runner, so that a recorded run can be judged again anywhere.
package record

// Schema is the version of the layout that this build writes. A reader accepts
// every version from 1 up to it and refuses later ones by name.
const Schema = 1

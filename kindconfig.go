// Package wayproof carries the files at the top of the repository that the
// program needs at run time.
package wayproof

import _ "embed"

// KindConfig is kind-config.yaml: the shape of the cluster that is made where
// no other file is given.
//
//go:embed kind-config.yaml
var KindConfig []byte

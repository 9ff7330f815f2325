// Package ambient turns a bare cluster into the ambient mesh of the workshop:
// Gateway API definitions, namespaces, Istio's four charts, and a metrics API
// for autoscalers. It also tells whether that mesh is well, and what it is made
// of.
//
// It makes no cluster and no image (packages env/kind and image do), and it
// never runs on a cluster that somebody else owns.
package ambient

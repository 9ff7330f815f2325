// Package spiffe names workloads the way Istio does: one SPIFFE id per
// Kubernetes service account. It knows nothing of certificates' trust; see
// package identity for that.
package spiffe

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// DefaultTrustDomain is what an empty trust domain stands for in every message
// of the control plane.
const DefaultTrustDomain = "cluster.local"

const scheme = "spiffe://"

// ID is one service account of one trust domain.
type ID struct {
	TrustDomain    string
	Namespace      string
	ServiceAccount string
}

// New fills in the defaults that the control plane leaves out on the wire.
func New(trustDomain, namespace, serviceAccount string) ID {
	if trustDomain == "" {
		trustDomain = DefaultTrustDomain
	}
	if serviceAccount == "" {
		serviceAccount = "default"
	}
	return ID{TrustDomain: trustDomain, Namespace: namespace, ServiceAccount: serviceAccount}
}

// String is the URI, spiffe://<trust domain>/ns/<namespace>/sa/<account>.
func (id ID) String() string { return scheme + id.Principal() }

// Principal is the id without its scheme: the form authorization policies use.
func (id ID) Principal() string {
	return id.TrustDomain + "/ns/" + id.Namespace + "/sa/" + id.ServiceAccount
}

// IsZero tells the absence of an identity from an identity.
func (id ID) IsZero() bool { return id == ID{} }

// Parse accepts exactly the form that String writes.
func Parse(uri string) (ID, error) {
	rest, ok := strings.CutPrefix(uri, scheme)
	if !ok {
		return ID{}, fmt.Errorf("identity %q does not start with %s", uri, scheme)
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 5 || parts[1] != "ns" || parts[3] != "sa" {
		return ID{}, fmt.Errorf("identity %q is not <trust domain>/ns/<namespace>/sa/<account>", uri)
	}
	id := ID{TrustDomain: parts[0], Namespace: parts[2], ServiceAccount: parts[4]}
	if id.TrustDomain == "" || id.Namespace == "" || id.ServiceAccount == "" {
		return ID{}, fmt.Errorf("identity %q has an empty part", uri)
	}
	return id, nil
}

// OfCertificate reads the id from the first URI name of a certificate, which is
// the only one Istio's certificate authority puts there.
func OfCertificate(leaf *x509.Certificate) (ID, error) {
	if len(leaf.URIs) == 0 {
		return ID{}, fmt.Errorf("certificate %s names no URI", leaf.SerialNumber)
	}
	return Parse(leaf.URIs[0].String())
}

package flow

import (
	"strings"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
)

// PartyOf describes a workload for the books, without an identity: that is for
// whoever saw it proven.
func PartyOf(w *state.Workload) Party {
	return Party{
		Workload: w.Spec.GetWorkloadName(), Pod: w.Spec.GetName(), Namespace: w.Spec.GetNamespace(),
		CanonicalName: w.Spec.GetCanonicalName(), CanonicalRevision: w.Spec.GetCanonicalRevision(),
	}
}

// ServiceOf describes a service by its key, <namespace>/<hostname>.
func ServiceOf(key string) Service {
	namespace, host, _ := strings.Cut(key, "/")
	name, _, _ := strings.Cut(host, ".")
	return Service{Hostname: host, Name: name, Namespace: namespace}
}

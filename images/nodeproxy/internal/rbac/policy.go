// Package rbac decides whether an inbound connection is authorised: Istio's L4
// policies as the control plane sends them. It decides from addresses and the
// peer's verified identity only, never from HTTP.
package rbac

import (
	"fmt"
	"net/netip"

	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// Request is what is known of a connection that wants in.
type Request struct {
	Peer     spiffe.ID  // zero when the peer proved no identity
	Source   netip.Addr // the TCP peer's
	Target   netip.Addr // the pod's
	DestPort uint16     // the application's, never the tunnel's
}

// Policy is one Authorization, checked and made ready for matching.
type Policy struct {
	// Spec is the control plane's message, for display only.
	Spec *security.Authorization
	// Unclear says why the policy was not understood. Such a policy denies
	// everything it applies to: its author wanted some restriction.
	Unclear error
	groups  []group
}

// Key is how people name the policy, <namespace>/<name>.
func (p *Policy) Key() string { return p.Spec.GetNamespace() + "/" + p.Spec.GetName() }

type (
	group  []rule    // all rules hold
	rule   []match   // any match holds
	match  []matcher // all fields hold
	prefix = netip.Prefix
)

// matcher is one field of a match, its negation included.
type matcher func(Request) bool

// Compile never fails: what it does not understand becomes a policy that
// denies, with the reason in Unclear.
func Compile(spec *security.Authorization) *Policy {
	p := &Policy{Spec: spec, Unclear: unknownParts(spec)}
	if p.Unclear != nil {
		return p
	}
	for _, g := range spec.GetGroups() {
		compiled, err := compileGroup(g)
		if err != nil {
			p.Unclear = fmt.Errorf("authorization %s: %w", p.Key(), err)
			return p
		}
		p.groups = append(p.groups, compiled)
	}
	return p
}

func compileGroup(spec *security.Group) (group, error) {
	var g group
	for _, rules := range spec.GetRules() {
		var r rule
		for _, m := range rules.GetMatches() {
			compiled, err := compileMatch(m)
			if err != nil {
				return nil, err
			}
			r = append(r, compiled)
		}
		g = append(g, r)
	}
	return g, nil
}

// matches tells whether any group holds. A policy without groups never does.
func (p *Policy) matches(r Request) bool {
	for _, g := range p.groups {
		if g.holds(r) {
			return true
		}
	}
	return false
}

func (g group) holds(r Request) bool {
	for _, rule := range g {
		if !rule.holds(r) {
			return false
		}
	}
	return true
}

// holds is true for a rule without matches: it restricts nothing.
func (r rule) holds(request Request) bool {
	for _, m := range r {
		if m.holds(request) {
			return true
		}
	}
	return len(r) == 0
}

// holds is false for a match without fields: it names nobody.
func (m match) holds(r Request) bool {
	for _, field := range m {
		if !field(r) {
			return false
		}
	}
	return len(m) > 0
}

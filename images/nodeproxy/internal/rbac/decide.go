package rbac

import (
	"fmt"

	"istio.io/istio/pkg/workloadapi/security"
)

// Decision is the outcome for one connection.
type Decision struct {
	// Denied is nil when the connection may pass, else why it may not.
	Denied error
	// DryRun names policies that would have decided otherwise were they in
	// force; they are for the log.
	DryRun []string
}

// Decide applies policies in Istio's order: any DENY that matches denies; with
// no ALLOW policy at all everything else passes; otherwise one ALLOW must
// match. A policy that was not understood denies.
func Decide(policies []*Policy, r Request) Decision {
	var d Decision
	allows, allowed := 0, false
	for _, p := range policies {
		switch {
		case p.Spec.GetDryRun():
			d.DryRun = append(d.DryRun, dryRun(p, r)...)
		case p.Unclear != nil:
			d.Denied = fmt.Errorf("policy %s was not understood", p.Key())
			return d
		case p.Spec.GetAction() == security.Action_DENY:
			if p.matches(r) {
				d.Denied = fmt.Errorf("explicitly denied by %s", p.Key())
				return d
			}
		default:
			allows++
			allowed = allowed || p.matches(r)
		}
	}
	if allows > 0 && !allowed {
		d.Denied = fmt.Errorf("allow policies exist, but none allowed")
	}
	return d
}

func dryRun(p *Policy, r Request) []string {
	deny := p.Spec.GetAction() == security.Action_DENY
	if p.Unclear == nil && p.matches(r) == deny {
		return []string{p.Key()}
	}
	return nil
}

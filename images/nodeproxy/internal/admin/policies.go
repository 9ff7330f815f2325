package admin

import (
	"net/netip"
	"strconv"

	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
)

// Policy is one authorization: groups of rules of matches.
type Policy struct {
	Name      string      `json:"name"`
	Namespace string      `json:"namespace"`
	Scope     string      `json:"scope"`
	Action    string      `json:"action"`
	Rules     [][][]Match `json:"rules"`
	// Unclear is not ztunnel's: why the policy denies whatever it applies to.
	Unclear string `json:"unclear,omitempty"`
}

// Match is one set of fields that must all hold.
type Match struct {
	Namespaces          []map[string]any `json:"namespaces,omitempty"`
	NotNamespaces       []map[string]any `json:"notNamespaces,omitempty"`
	Principals          []map[string]any `json:"principals,omitempty"`
	NotPrincipals       []map[string]any `json:"notPrincipals,omitempty"`
	ServiceAccounts     []Account        `json:"serviceAccounts,omitempty"`
	NotServiceAccounts  []Account        `json:"notServiceAccounts,omitempty"`
	SourceIPs           []string         `json:"sourceIps,omitempty"`
	NotSourceIPs        []string         `json:"notSourceIps,omitempty"`
	DestinationIPs      []string         `json:"destinationIps,omitempty"`
	NotDestinationIPs   []string         `json:"notDestinationIps,omitempty"`
	DestinationPorts    []uint32         `json:"destinationPorts,omitempty"`
	NotDestinationPorts []uint32         `json:"notDestinationPorts,omitempty"`
}

// Account is one service account of a match.
type Account struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

func policy(p *rbac.Policy) Policy {
	out := Policy{
		Name: p.Spec.GetName(), Namespace: p.Spec.GetNamespace(),
		Scope: scope(p.Spec.GetScope()), Action: action(p.Spec.GetAction()), Rules: [][][]Match{},
	}
	if p.Unclear != nil {
		out.Unclear = p.Unclear.Error()
	}
	for _, g := range p.Spec.GetGroups() {
		group := [][]Match{}
		for _, r := range g.GetRules() {
			group = append(group, each(r.GetMatches(), match))
		}
		out.Rules = append(out.Rules, group)
	}
	return out
}

func scope(s security.Scope) string {
	switch s {
	case security.Scope_GLOBAL:
		return "Global"
	case security.Scope_NAMESPACE:
		return "Namespace"
	case security.Scope_WORKLOAD_SELECTOR:
		return "WorkloadSelector"
	}
	return s.String()
}

func action(a security.Action) string {
	switch a {
	case security.Action_ALLOW:
		return "Allow"
	case security.Action_DENY:
		return "Deny"
	}
	return a.String()
}

func match(m *security.Match) Match {
	return Match{
		Namespaces: each(m.GetNamespaces(), text), NotNamespaces: each(m.GetNotNamespaces(), text),
		Principals: each(m.GetPrincipals(), text), NotPrincipals: each(m.GetNotPrincipals(), text),
		ServiceAccounts: each(m.GetServiceAccounts(), account), NotServiceAccounts: each(m.GetNotServiceAccounts(), account),
		SourceIPs: each(m.GetSourceIps(), prefix), NotSourceIPs: each(m.GetNotSourceIps(), prefix),
		DestinationIPs: each(m.GetDestinationIps(), prefix), NotDestinationIPs: each(m.GetNotDestinationIps(), prefix),
		DestinationPorts: m.GetDestinationPorts(), NotDestinationPorts: m.GetNotDestinationPorts(),
	}
}

func each[From, To any](values []From, show func(From) To) []To {
	out := make([]To, 0, len(values))
	for _, v := range values {
		out = append(out, show(v))
	}
	return out
}

func text(m *security.StringMatch) map[string]any {
	switch want := m.GetMatchType().(type) {
	case *security.StringMatch_Exact:
		return map[string]any{"Exact": want.Exact}
	case *security.StringMatch_Prefix:
		return map[string]any{"Prefix": want.Prefix}
	case *security.StringMatch_Suffix:
		return map[string]any{"Suffix": want.Suffix}
	case *security.StringMatch_Presence:
		return map[string]any{"Presence": map[string]any{}}
	}
	return map[string]any{}
}

func account(m *security.ServiceAccountMatch) Account {
	return Account{Namespace: m.GetNamespace(), ServiceAccount: m.GetServiceAccount()}
}

func prefix(a *security.Address) string {
	ip, _ := netip.AddrFromSlice(a.GetAddress()) // an invalid one shows as such
	return ip.String() + "/" + strconv.FormatUint(uint64(a.GetLength()), 10)
}

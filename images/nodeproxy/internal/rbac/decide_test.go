package rbac

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

func exact(s string) []*security.StringMatch {
	return []*security.StringMatch{{MatchType: &security.StringMatch_Exact{Exact: s}}}
}

func presence() []*security.StringMatch {
	return []*security.StringMatch{{MatchType: &security.StringMatch_Presence{Presence: &emptypb.Empty{}}}}
}

func block(text string) []*security.Address {
	p := netip.MustParsePrefix(text)
	return []*security.Address{{Address: p.Addr().AsSlice(), Length: uint32(p.Bits())}}
}

// one is a policy of one group with one rule per list of matches.
func one(action security.Action, rules ...[]*security.Match) *security.Authorization {
	g := &security.Group{}
	for _, matches := range rules {
		g.Rules = append(g.Rules, &security.Rules{Matches: matches})
	}
	return &security.Authorization{Name: "p", Namespace: "ns", Action: action, Groups: []*security.Group{g}}
}

func request() Request {
	return Request{
		Peer:   spiffe.New("", "travel", "cars"),
		Source: netip.MustParseAddr("10.1.2.3"), Target: netip.MustParseAddr("10.9.9.9"), DestPort: 8080,
	}
}

// A match holds or not: the oracle is a DENY policy of just that match.
func TestMatchFields(t *testing.T) {
	anonymous := request()
	anonymous.Peer = spiffe.ID{}
	accounts := []*security.ServiceAccountMatch{{Namespace: "travel", ServiceAccount: "cars"}}
	other := []*security.ServiceAccountMatch{{Namespace: "other", ServiceAccount: "cars"}}
	prefixed := []*security.StringMatch{{MatchType: &security.StringMatch_Prefix{Prefix: "cluster.local/ns/travel/"}}}
	suffixed := []*security.StringMatch{{MatchType: &security.StringMatch_Suffix{Suffix: "/sa/cars"}}}
	for name, c := range map[string]struct {
		match            *security.Match
		known, anonymous bool
	}{
		"no field":              {&security.Match{}, false, false},
		"namespace":             {&security.Match{Namespaces: exact("travel")}, true, false},
		"other namespace":       {&security.Match{Namespaces: exact("trave")}, false, false},
		"not namespace":         {&security.Match{NotNamespaces: exact("travel")}, false, true},
		"principal":             {&security.Match{Principals: exact("cluster.local/ns/travel/sa/cars")}, true, false},
		"principal with scheme": {&security.Match{Principals: exact("spiffe://cluster.local/ns/travel/sa/cars")}, false, false},
		"principal prefix":      {&security.Match{Principals: prefixed}, true, false},
		"principal suffix":      {&security.Match{Principals: suffixed}, true, false},
		"any principal":         {&security.Match{Principals: presence()}, true, false},
		"no principal":          {&security.Match{NotPrincipals: presence()}, false, true},
		"account":               {&security.Match{ServiceAccounts: accounts}, true, false},
		"other account":         {&security.Match{ServiceAccounts: other}, false, false},
		"one of two accounts":   {&security.Match{ServiceAccounts: append(other[:1:1], accounts...)}, true, false},
		"not account":           {&security.Match{NotServiceAccounts: accounts}, false, true},
		"source":                {&security.Match{SourceIps: block("10.1.0.0/16")}, true, true},
		"source elsewhere":      {&security.Match{SourceIps: block("10.2.0.0/16")}, false, false},
		"source of all":         {&security.Match{SourceIps: block("0.0.0.0/0")}, true, true},
		"not source":            {&security.Match{NotSourceIps: block("10.1.2.3/32")}, false, false},
		"target":                {&security.Match{DestinationIps: block("10.9.9.9/32")}, true, true},
		"not target":            {&security.Match{NotDestinationIps: block("10.9.9.8/32")}, true, true},
		"IPv6 source":           {&security.Match{SourceIps: block("::/0")}, false, false},
		"port":                  {&security.Match{DestinationPorts: []uint32{80, 8080}}, true, true},
		"other port":            {&security.Match{DestinationPorts: []uint32{15008}}, false, false},
		"not port":              {&security.Match{NotDestinationPorts: []uint32{8080}}, false, false},
		"fields are ANDed":      {&security.Match{Namespaces: exact("travel"), DestinationPorts: []uint32{80}}, false, false},
		"port not as in proto":  {&security.Match{DestinationPorts: []uint32{8080 + 1<<16}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := Compile(one(security.Action_DENY, []*security.Match{c.match}))
			require.NoError(t, p.Unclear)
			assert.Equal(t, c.known, Decide([]*Policy{p}, request()).Denied != nil, "known peer")
			assert.Equal(t, c.anonymous, Decide([]*Policy{p}, anonymous).Denied != nil, "peer without identity")
		})
	}
}

func TestGroupsAndRules(t *testing.T) {
	yes := []*security.Match{{DestinationPorts: []uint32{8080}}}
	no := []*security.Match{{DestinationPorts: []uint32{1}}}
	either := slices.Concat(no, yes)
	many := one(security.Action_DENY, no)
	many.Groups = append(many.Groups, one(security.Action_DENY, yes).Groups...)
	for name, c := range map[string]struct {
		spec   *security.Authorization
		denied bool
	}{
		"no group":                 {&security.Authorization{Action: security.Action_DENY}, false},
		"group without rules":      {one(security.Action_DENY), true},
		"rule without matches":     {one(security.Action_DENY, nil), true},
		"rules are ANDed":          {one(security.Action_DENY, yes, no), false},
		"all rules hold":           {one(security.Action_DENY, yes, yes), true},
		"matches are ORed":         {one(security.Action_DENY, either), true},
		"groups are ORed":          {many, true},
		"allow without groups":     {&security.Authorization{}, true},
		"allow that matches":       {one(security.Action_ALLOW, yes), false},
		"allow that does not":      {one(security.Action_ALLOW, no), true},
		"allow with an empty rule": {one(security.Action_ALLOW, nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide([]*Policy{Compile(c.spec)}, request())
			assert.Equal(t, c.denied, d.Denied != nil, "%v", d.Denied)
		})
	}
}

func TestOrderOfPolicies(t *testing.T) {
	yes := []*security.Match{{DestinationPorts: []uint32{8080}}}
	no := []*security.Match{{DestinationPorts: []uint32{1}}}
	allow, deny := Compile(one(security.Action_ALLOW, yes)), Compile(one(security.Action_DENY, yes))
	miss := Compile(one(security.Action_ALLOW, no))
	dry := one(security.Action_DENY, yes)
	dry.DryRun = true

	assert.NoError(t, Decide(nil, request()).Denied, "without policies all pass")
	assert.Error(t, Decide([]*Policy{allow, deny}, request()).Denied, "deny wins, wherever it stands")
	assert.NoError(t, Decide([]*Policy{miss, allow}, request()).Denied, "one allow is enough")
	onlyLogged := Decide([]*Policy{Compile(dry)}, request())
	assert.NoError(t, onlyLogged.Denied)
	assert.Equal(t, []string{"ns/p"}, onlyLogged.DryRun)
}

func TestWhatIsNotUnderstoodDenies(t *testing.T) {
	later := one(security.Action_DENY, []*security.Match{{}})
	later.Groups[0].Rules[0].Matches[0].ProtoReflect().SetUnknown(protowire.AppendVarint(
		protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	for name, spec := range map[string]*security.Authorization{
		"string match of no kind": one(security.Action_ALLOW, []*security.Match{{Principals: []*security.StringMatch{{}}}}),
		"address of three bytes":  one(security.Action_ALLOW, []*security.Match{{SourceIps: []*security.Address{{Address: []byte{1, 2, 3}}}}}),
		"prefix too long": one(security.Action_DENY, []*security.Match{{
			SourceIps: []*security.Address{{Address: []byte{1, 2, 3, 4}, Length: 33}},
		}}),
		"unknown action": {Name: "p", Namespace: "ns", Action: 7},
		"unknown scope":  {Name: "p", Namespace: "ns", Scope: 7},
		"unknown field":  later,
	} {
		t.Run(name, func(t *testing.T) {
			p := Compile(proto.Clone(spec).(*security.Authorization))
			require.Error(t, p.Unclear)
			assert.Error(t, Decide([]*Policy{p}, request()).Denied)
		})
	}
}

func TestTableSelects(t *testing.T) {
	table := NewTable()
	policies := map[string]*Policy{}
	put := func(namespace, name string, scope security.Scope) {
		policies[namespace+"/"+name] = Compile(&security.Authorization{Namespace: namespace, Name: name, Scope: scope})
	}
	put("istio-system", "all", security.Scope_GLOBAL)
	put("travel", "here", security.Scope_NAMESPACE)
	put("other", "there", security.Scope_NAMESPACE)
	put("travel", "chosen", security.Scope_WORKLOAD_SELECTOR)
	put("travel", "unchosen", security.Scope_WORKLOAD_SELECTOR)
	put("istio-system", "istio_converted_static_strict", security.Scope_WORKLOAD_SELECTOR)
	changed := table.Changed()
	table.Apply(policies, nil)
	<-changed
	keys := func(selected ...string) []string {
		var out []string
		for _, p := range table.For("travel", selected) {
			out = append(out, p.Key())
		}
		return out
	}
	assert.Equal(t, []string{"istio-system/all", "travel/here"}, keys())
	assert.Equal(t, []string{"istio-system/all", "istio-system/istio_converted_static_strict", "travel/chosen", "travel/here"},
		keys("travel/chosen", "istio-system/istio_converted_static_strict", "travel/not-here-yet"))
	table.Apply(nil, []string{"istio-system/all", "no/such"})
	assert.Equal(t, []string{"travel/here"}, keys())
	assert.Len(t, table.All(), 5)
}

// Istio's own STRICT policy: no identity, no entry.
func TestStrict(t *testing.T) {
	strict := Compile(one(security.Action_DENY, []*security.Match{{NotPrincipals: presence()}}))
	assert.NoError(t, Decide([]*Policy{strict}, request()).Denied)
	plain := request()
	plain.Peer = spiffe.ID{}
	assert.Error(t, Decide([]*Policy{strict}, plain).Denied)
}

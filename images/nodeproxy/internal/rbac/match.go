package rbac

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"istio.io/istio/pkg/workloadapi/security"
)

// field turns the values of one field, and of its negated twin, into matchers:
// any value must hold, and none of the twin's.
type field struct {
	positive, negative []matcher
}

func (f field) matchers() []matcher {
	var out []matcher
	if len(f.positive) > 0 {
		out = append(out, anyOf(f.positive))
	}
	if len(f.negative) > 0 {
		some := anyOf(f.negative)
		out = append(out, func(r Request) bool { return !some(r) })
	}
	return out
}

func anyOf(values []matcher) matcher {
	return func(r Request) bool {
		return slices.ContainsFunc(values, func(m matcher) bool { return m(r) })
	}
}

func compileMatch(m *security.Match) (match, error) {
	var out match
	add := func(f field, err error) error {
		out = append(out, f.matchers()...)
		return err
	}
	err := errors.Join(
		add(twin(m.GetNamespaces(), m.GetNotNamespaces(), onNamespace)),
		add(twin(m.GetPrincipals(), m.GetNotPrincipals(), onPrincipal)),
		add(twin(m.GetServiceAccounts(), m.GetNotServiceAccounts(), onServiceAccount)),
		add(twin(m.GetSourceIps(), m.GetNotSourceIps(), onSource)),
		add(twin(m.GetDestinationIps(), m.GetNotDestinationIps(), onTarget)),
		add(twin(m.GetDestinationPorts(), m.GetNotDestinationPorts(), onPort)),
	)
	return out, err
}

func twin[T any](positive, negative []T, compile func(T) (matcher, error)) (field, error) {
	p, err := each(positive, compile)
	n, negErr := each(negative, compile)
	return field{positive: p, negative: n}, errors.Join(err, negErr)
}

func each[T any](values []T, compile func(T) (matcher, error)) ([]matcher, error) {
	var out []matcher
	for _, v := range values {
		m, err := compile(v)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func onNamespace(m *security.StringMatch) (matcher, error) {
	holds, err := compileString(m)
	return func(r Request) bool { return !r.Peer.IsZero() && holds(r.Peer.Namespace) }, err
}

func onPrincipal(m *security.StringMatch) (matcher, error) {
	holds, err := compileString(m)
	return func(r Request) bool { return !r.Peer.IsZero() && holds(r.Peer.Principal()) }, err
}

func onServiceAccount(m *security.ServiceAccountMatch) (matcher, error) {
	return func(r Request) bool {
		return !r.Peer.IsZero() && r.Peer.Namespace == m.GetNamespace() &&
			r.Peer.ServiceAccount == m.GetServiceAccount()
	}, nil
}

func onSource(a *security.Address) (matcher, error) {
	p, err := compilePrefix(a)
	return func(r Request) bool { return p.Contains(r.Source) }, err
}

func onTarget(a *security.Address) (matcher, error) {
	p, err := compilePrefix(a)
	return func(r Request) bool { return p.Contains(r.Target) }, err
}

func onPort(port uint32) (matcher, error) {
	return func(r Request) bool { return uint32(r.DestPort) == port }, nil
}

func compilePrefix(a *security.Address) (prefix, error) {
	ip, ok := netip.AddrFromSlice(a.GetAddress())
	if !ok {
		return prefix{}, fmt.Errorf("address of %d bytes", len(a.GetAddress()))
	}
	if a.GetLength() > uint32(ip.BitLen()) {
		return prefix{}, fmt.Errorf("prefix length %d of %s", a.GetLength(), ip)
	}
	return netip.PrefixFrom(ip, int(a.GetLength())), nil
}

func compileString(m *security.StringMatch) (func(string) bool, error) {
	switch want := m.GetMatchType().(type) {
	case *security.StringMatch_Exact:
		return func(s string) bool { return s == want.Exact }, nil
	case *security.StringMatch_Prefix:
		return func(s string) bool { return strings.HasPrefix(s, want.Prefix) }, nil
	case *security.StringMatch_Suffix:
		return func(s string) bool { return strings.HasSuffix(s, want.Suffix) }, nil
	case *security.StringMatch_Presence:
		return func(s string) bool { return s != "" }, nil
	}
	return nil, errors.New("string match of unknown kind")
}

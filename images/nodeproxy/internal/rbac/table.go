package rbac

import (
	"maps"
	"slices"
	"sync"

	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
)

// Table holds the policies of the mesh. It is safe for concurrent use.
type Table struct {
	changed notify.Broadcast
	mu      sync.RWMutex
	byKey   map[string]*Policy
}

// NewTable starts empty: without policies everything is allowed.
func NewTable() *Table { return &Table{byKey: map[string]*Policy{}} }

// Apply replaces and removes policies as one step.
func (t *Table) Apply(updated []*Policy, removed []string) {
	t.mu.Lock()
	for _, key := range removed {
		delete(t.byKey, key)
	}
	for _, p := range updated {
		t.byKey[p.Key()] = p
	}
	t.mu.Unlock()
	t.changed.Fire()
}

// Changed closes at the next Apply.
func (t *Table) Changed() <-chan struct{} { return t.changed.Changed() }

// All lists the policies by key.
func (t *Table) All() []*Policy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []*Policy
	for _, key := range slices.Sorted(maps.Keys(t.byKey)) {
		all = append(all, t.byKey[key])
	}
	return all
}

// For selects what applies to a workload: the global policies, those of its
// namespace, and those its own list names. Names without a policy are skipped,
// since the list may arrive first.
func (t *Table) For(namespace string, selected []string) []*Policy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []*Policy
	for _, key := range slices.Sorted(maps.Keys(t.byKey)) {
		p := t.byKey[key]
		if applies(p, namespace) || slices.Contains(selected, key) {
			out = append(out, p)
		}
	}
	return out
}

// applies treats an unknown scope as the namespace's: the narrowest reading
// that cannot leave a selected workload open.
func applies(p *Policy, namespace string) bool {
	switch p.Spec.GetScope() {
	case security.Scope_GLOBAL:
		return true
	case security.Scope_WORKLOAD_SELECTOR:
		return false
	}
	return p.Spec.GetNamespace() == namespace
}

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
	byName  map[string]*Policy // by the control plane's resource name
}

// NewTable starts empty: without policies everything is allowed.
func NewTable() *Table { return &Table{byName: map[string]*Policy{}} }

// Apply replaces and removes policies, by the control plane's names for them, as
// one step.
func (t *Table) Apply(updated map[string]*Policy, removed []string) {
	t.mu.Lock()
	for _, name := range removed {
		delete(t.byName, name)
	}
	maps.Copy(t.byName, updated)
	t.mu.Unlock()
	t.changed.Fire()
}

// Changed closes at the next Apply.
func (t *Table) Changed() <-chan struct{} { return t.changed.Changed() }

// Has tells whether a policy of that name is in force.
func (t *Table) Has(name string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byName[name] != nil
}

// All lists the policies by name.
func (t *Table) All() []*Policy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []*Policy
	for _, name := range slices.Sorted(maps.Keys(t.byName)) {
		all = append(all, t.byName[name])
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
	for _, name := range slices.Sorted(maps.Keys(t.byName)) {
		p := t.byName[name]
		if applies(p, namespace) || slices.Contains(selected, name) {
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

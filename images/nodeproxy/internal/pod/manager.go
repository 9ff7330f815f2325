package pod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

// retryInterval is the pause between attempts to start a pod that failed.
const retryInterval = 5 * time.Second

// Manager keeps one instance per captured pod, as istio-cni says.
type Manager struct {
	starter *Starter
	log     *slog.Logger
	stopped sync.WaitGroup // instances on their way out

	mu        sync.Mutex
	instances map[string]*Instance
	pending   map[string]waiting
	connected bool
	draining  bool
}

// waiting is a pod whose start failed; its namespace is kept for the next try.
type waiting struct {
	pod       zds.Pod
	namespace *netns.Namespace
}

// NewManager starts with no pods.
func NewManager(starter *Starter, log *slog.Logger) *Manager {
	return &Manager{starter: starter, log: log, instances: map[string]*Instance{}, pending: map[string]waiting{}}
}

var errDraining = errors.New("node proxy is shutting down")

// Add starts a pod. The same pod in the same namespace again changes nothing;
// in another one it is started anew.
func (m *Manager) Add(ctx context.Context, p zds.Pod, file *os.File) error {
	ns, err := netns.Open(file)
	if err != nil {
		return fmt.Errorf("pod %s/%s: %w", p.Namespace, p.Name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.draining {
		m.release(ns)
		return errDraining
	}
	if old, ok := m.instances[p.UID]; ok && old.namespace.ID() == ns.ID() {
		m.release(ns)
		return nil
	}
	m.remove(p.UID)
	return m.start(ctx, waiting{pod: p, namespace: ns})
}

// start keeps what failed for another try.
func (m *Manager) start(ctx context.Context, w waiting) error {
	i, err := m.starter.Start(ctx, w.pod, w.namespace)
	if err != nil {
		m.pending[w.pod.UID] = w
		return fmt.Errorf("start pod %s/%s: %w", w.pod.Namespace, w.pod.Name, err)
	}
	delete(m.pending, w.pod.UID)
	m.instances[w.pod.UID] = i
	m.log.Info("pod captured", "pod", w.pod.Name, "namespace", w.pod.Namespace, "uid", w.pod.UID)
	return nil
}

// remove does not wait: istio-cni's deadline is short.
func (m *Manager) remove(uid string) {
	if w, ok := m.pending[uid]; ok {
		delete(m.pending, uid)
		m.release(w.namespace)
	}
	i, ok := m.instances[uid]
	if !ok {
		return
	}
	delete(m.instances, uid)
	i.closeListeners()
	m.stopped.Go(func() {
		if err := i.Stop(); err != nil {
			m.log.Warn("pod left traces", "uid", uid, "error", err)
		}
	})
	m.log.Info("pod released", "pod", i.pod.Name, "namespace", i.pod.Namespace, "uid", uid)
}

func (m *Manager) release(ns *netns.Namespace) {
	if err := ns.Close(); err != nil {
		m.log.Warn("network namespace not released", "error", err)
	}
}

// Delete stops a pod at once.
func (m *Manager) Delete(uid string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(uid)
}

// Retain stops every pod that is not named.
func (m *Manager) Retain(keep map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, uid := range m.uids() {
		if !keep[uid] {
			m.remove(uid)
		}
	}
}

func (m *Manager) uids() []string {
	all := slices.Collect(maps.Keys(m.instances))
	return slices.AppendSeq(all, maps.Keys(m.pending))
}

// Connected remembers whether istio-cni's snapshot is in force.
func (m *Manager) Connected(up bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.connected = up
}

// Ready tells why pods may lack their proxy, or nil.
func (m *Manager) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.connected:
		return errors.New("no complete session with istio-cni")
	case len(m.pending) > 0:
		return fmt.Errorf("%d pods could not be started", len(m.pending))
	}
	return nil
}

// Run tries pods that failed again until the context ends.
func (m *Manager) Run(ctx context.Context) error {
	ticker := time.NewTicker(retryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			m.retry(ctx)
		}
	}
}

func (m *Manager) retry(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.pending {
		if err := m.start(ctx, w); err != nil {
			m.log.Warn("pod still not started", "error", err)
		}
	}
}

// handOver is how long listeners stay open that a successor has taken over from:
// enough for the handshakes that had begun.
const handOver = 300 * time.Millisecond

// Drain lets running connections go on until they end or the context does, and
// then cuts what is left and frees every namespace.
func (m *Manager) Drain(ctx context.Context) {
	all := m.beginDrain(ctx)
	select {
	case <-time.After(handOver):
	case <-ctx.Done():
	}
	for _, i := range all {
		i.closeListeners()
	}
	idle := make(chan struct{})
	go func() {
		for _, i := range all {
			i.Wait()
		}
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	m.Retain(nil)
	m.stopped.Wait()
}

func (m *Manager) beginDrain(ctx context.Context) []*Instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = true
	all := slices.Collect(maps.Values(m.instances))
	for _, i := range all {
		i.Drain(ctx)
	}
	return all
}

// Status is a pod as config_dump shows it.
type Status struct {
	Pod zds.Pod
	Up  bool // false while its start is retried
}

// Pods lists all captured pods by uid.
func (m *Manager) Pods() []Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Status
	for _, i := range m.instances {
		all = append(all, Status{Pod: i.pod, Up: true})
	}
	for _, w := range m.pending {
		all = append(all, Status{Pod: w.pod})
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Pod.UID, b.Pod.UID) })
	return all
}

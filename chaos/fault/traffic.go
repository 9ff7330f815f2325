package fault

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// churn changes the weights of a route again and again: perSecond=N, to and fro
// between what is declared and its mirror image, so that every state is a valid
// one and every answer must come from a backend of the route.
func churn(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	perSecond, err := strconv.ParseFloat(spec.Params["perSecond"], 64)
	if err != nil || perSecond <= 0 || perSecond > 50 {
		return nil, fmt.Errorf("perSecond=%q is not above 0 and at most 50", spec.Params["perSecond"])
	}
	namespace, name := ref(spec.Target)
	route, err := readRoute(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	back, forth, err := weightPatches(route)
	if err != nil {
		return nil, err
	}
	work := &churner{site: site, patches: [2]pledge.Step{forth, back}, every: time.Duration(float64(time.Second) / perSecond)}
	return &Injection{
		Target: "route " + spec.Target, Undo: []pledge.Step{back},
		inject: func(ctx context.Context) error { return work.start(ctx) },
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, "the route to change", func(ctx context.Context) (bool, string, error) {
				now, err := site.Cluster.Read(ctx, kube.KindHTTPRoute, kube.Ref{Namespace: namespace, Name: name})
				if err != nil || now == nil {
					return false, "no route", err
				}
				state := fmt.Sprintf("generation went from %d to %d", route.GetGeneration(), now.GetGeneration())
				return now.GetGeneration() > route.GetGeneration()+2, state, nil
			})
		},
		still: func(ctx context.Context) (string, error) {
			before := work.made()
			return eventually(ctx, "the route to go on changing", func(context.Context) (bool, string, error) {
				return work.made() > before, fmt.Sprintf("%d changes", work.made()), nil
			})
		},
		ease: work.stop,
		whole: func(ctx context.Context) (string, error) {
			err := site.Cluster.AwaitRoute(ctx, kube.Ref{Namespace: namespace, Name: name}, wholeWait)
			return fmt.Sprintf("the route is as declared after %d changes", work.made()), err
		},
	}, nil
}

func readRoute(ctx context.Context, site Site, target string) (*unstructured.Unstructured, error) {
	namespace, name := ref(target)
	route, err := site.Cluster.Read(ctx, kube.KindHTTPRoute, kube.Ref{Namespace: namespace, Name: name})
	if err == nil && route == nil {
		err = fmt.Errorf("there is no route %s", target)
	}
	return route, err
}

// weightPatches are the route's rules as they are, and with the weights of the
// first rule in reverse order.
func weightPatches(route *unstructured.Unstructured) (back, forth pledge.Step, err error) {
	namespace, name := route.GetNamespace(), route.GetName()
	path := "/apis/gateway.networking.k8s.io/v1/namespaces/" + namespace + "/httproutes/" + name
	rules, found, err := unstructured.NestedSlice(route.Object, "spec", "rules")
	if err != nil || !found || len(rules) == 0 {
		return back, forth, fmt.Errorf("route %s/%s has no rules: %w", namespace, name, err)
	}
	back, err = mergePatch("give route "+name+" its weights back", path, map[string]any{"spec": map[string]any{"rules": rules}})
	if err != nil {
		return back, forth, err
	}
	turned := route.DeepCopy()
	rules, _, _ = unstructured.NestedSlice(turned.Object, "spec", "rules")
	first, _ := rules[0].(map[string]any)
	backends, _ := first["backendRefs"].([]any)
	if len(backends) < 2 {
		return back, forth, fmt.Errorf("route %s/%s has no two backends to turn", namespace, name)
	}
	for i, j := 0, len(backends)-1; i < j; i, j = i+1, j-1 {
		a, _ := backends[i].(map[string]any)
		b, _ := backends[j].(map[string]any)
		a["weight"], b["weight"] = b["weight"], a["weight"]
	}
	forth, err = mergePatch("turn the weights of route "+name, path, map[string]any{"spec": map[string]any{"rules": rules}})
	return back, forth, err
}

// churner patches at a rate until it is stopped.
type churner struct {
	site    Site
	patches [2]pledge.Step
	every   time.Duration

	mu      sync.Mutex
	cancel  context.CancelFunc
	ended   chan struct{}
	changes int
	failed  error
}

func (c *churner) start(ctx context.Context) error {
	if err := do(c.site, c.patches[0])(ctx); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel, c.ended = cancel, make(chan struct{})
	go c.run(running)
	return nil
}

func (c *churner) run(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := do(c.site, c.patches[turn%2])(ctx)
		c.mu.Lock()
		if err == nil {
			c.changes++
		} else if ctx.Err() == nil {
			c.failed = err
		}
		c.mu.Unlock()
	}
}

func (c *churner) stop(context.Context) error {
	c.mu.Lock()
	cancel, ended := c.cancel, c.ended
	c.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	<-ended
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil && c.changes == 0 {
		return fmt.Errorf("no change went through: %w", c.failed)
	}
	return nil
}

func (c *churner) made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// Package fault holds the faults that wayproof can inject: into waypoints, node
// proxies, istiod, nodes, the network between named legs, routes and backends.
// Each resolves its target to pods and nodes before anything is broken, says how
// it is undone, brings evidence that it took effect, and refuses targets beyond
// its limits.
//
// What a fault is allowed to do to traffic is not judged here.
package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/kube"
)

// Site is where faults are injected.
type Site struct {
	Cluster *kube.Cluster
	Post    *post.Post
	// System allows the mesh's own namespaces where wayproof did not make them, and
	// nodes. kube-system is never touched.
	System bool
	// Note, if set, is told what a fault measures while it is injected: the
	// answers of the Eviction API.
	Note func(series string, value float64, text string)
}

func (s Site) note(series string, value float64, text string) {
	if s.Note != nil {
		s.Note(series, value, text)
	}
}

// Injection is a fault whose target is resolved; it is a chaos.Fault.
type Injection struct {
	// Undo is what the pledge holds.
	Undo []pledge.Step
	// Target is the target in words, with the pods that were picked.
	Target string

	site    Site
	inject  func(ctx context.Context) error
	confirm func(ctx context.Context) (string, error)
	still   func(ctx context.Context) (string, error) // nil of a fault that happens once
	half    func(ctx context.Context) error           // undoes the first half of a fault that has two
	ease    func(ctx context.Context) error           // before the undo is carried out; may be nil
	whole   func(ctx context.Context) (string, error)
}

var _ chaos.Fault = (*Injection)(nil)

// Inject is part of chaos.Fault.
func (i *Injection) Inject(ctx context.Context) error { return i.inject(ctx) }

// Confirm is part of chaos.Fault.
func (i *Injection) Confirm(ctx context.Context) (string, error) { return i.confirm(ctx) }

// Still is part of chaos.Lasting. What happened once needs to be there no more.
func (i *Injection) Still(ctx context.Context) (string, error) {
	if i.still == nil {
		return "it happened once", nil
	}
	return i.still(ctx)
}

// Return is part of chaos.Returning.
func (i *Injection) Return(ctx context.Context) error {
	if i.half == nil {
		return errors.New("it is one and has no halves")
	}
	return i.half(ctx)
}

// glance is one look of a probe: evidence, or an error that says what is there instead.
func glance(probe kube.Probe) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		there, state, err := probe(ctx)
		if err == nil && !there {
			err = fmt.Errorf("now there is %q", state)
		}
		return state, err
	}
}

// Recover carries out what the pledge says, also where the fault could not be
// eased first.
func (i *Injection) Recover(ctx context.Context) error {
	var eased error
	if i.ease != nil {
		eased = i.ease(ctx)
	}
	_, err := i.site.Post.Carry(ctx, i.Undo)
	return errors.Join(eased, err)
}

// ConfirmRecovered is part of chaos.Fault.
func (i *Injection) ConfirmRecovered(ctx context.Context) (string, error) { return i.whole(ctx) }

// maker resolves a fault of one name.
type maker func(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error)

// makers is the table of all faults.
func makers() map[string]maker {
	return map[string]maker{
		"kill": kill, "evict": evict, "restart": restart, "scale": scale, "drain": drain,
		"hang": hang, "partition": partition, "loss": partition, "delay": delay, "burn": burn,
		"nodeproxy": nodeproxy, "istiod": istiod, "churn": churn, "backend": backend, "rotate": rotate, "crash": crash,
	}
}

// ofNodes lists the faults that all of a node feels.
func ofNodes() []string { return []string{"drain", "burn"} }

// Names lists the faults that there are.
func Names() []string { return slices.Sorted(maps.Keys(makers())) }

// Make resolves a fault's target. Nothing is broken yet.
func Make(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	known, ok := makers()[spec.Name]
	if !ok {
		return nil, fmt.Errorf("no fault %q; there are %s", spec.Name, strings.Join(Names(), ", "))
	}
	if slices.Contains(ofNodes(), spec.Name) && !site.System {
		return nil, fmt.Errorf("%s of %s: a node serves others, too; allow it by --system", spec.Name, spec.Target)
	}
	if err := site.admit(ctx, spec.Target); err != nil {
		return nil, err
	}
	made, err := known(ctx, site, spec)
	if err != nil {
		return nil, fmt.Errorf("prepare %s of %s: %w", spec.Name, spec.Target, err)
	}
	made.site = site
	return made, nil
}

// admit refuses namespaces that are not wayproof's own.
func (s Site) admit(ctx context.Context, target string) error {
	namespace, _ := ref(target)
	if namespace == "kube-system" {
		return fmt.Errorf("fault in %s: kube-system is never touched", target)
	}
	home, err := s.Cluster.Read(ctx, kube.KindNamespace, kube.Ref{Name: namespace})
	if err != nil {
		return err
	}
	if home == nil {
		return fmt.Errorf("fault in %s: there is no namespace %s", target, namespace)
	}
	if !kube.Ours(home.GetLabels()) && !s.System {
		return fmt.Errorf("fault in %s: namespace %s is not wayproof's; allow it by --system", target, namespace)
	}
	return nil
}

func ref(target string) (namespace, name string) {
	namespace, name, _ = strings.Cut(target, "/")
	return namespace, name
}

// mergePatch is a step that patches an object.
func mergePatch(say, path string, body any) (pledge.Step, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return pledge.Step{}, fmt.Errorf("write patch of %s: %w", path, err)
	}
	return pledge.Step{Say: say, Request: &pledge.Request{
		Method: http.MethodPatch, Path: path, ContentType: "application/merge-patch+json", Body: content,
	}}, nil
}

func deploymentPath(target string) string {
	namespace, name := ref(target)
	return "/apis/apps/v1/namespaces/" + namespace + "/deployments/" + name
}

// replicas is the patch of a number of replicas.
func replicas(count int32) map[string]any {
	return map[string]any{"spec": map[string]any{"replicas": count}}
}

// wholeWait bounds how long a workload may take to be whole again.
const wholeWait = 3 * time.Minute

// available waits until a Deployment has all its replicas.
func available(site Site, target string) func(context.Context) (string, error) {
	namespace, name := ref(target)
	return func(ctx context.Context) (string, error) {
		if err := site.Cluster.AwaitDeployment(ctx, kube.Ref{Namespace: namespace, Name: name}, wholeWait); err != nil {
			return "", err
		}
		return "every replica of " + target + " is available", nil
	}
}

// replaced waits for more: that the old pods of a rollout are gone, too. What
// they do on their way out is another experiment.
func replaced(site Site, target string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if _, err := available(site, target)(ctx); err != nil {
			return "", err
		}
		now, err := deployment(ctx, site, target)
		if err != nil {
			return "", err
		}
		wait := kube.Wait{What: "old pods of " + target + " to be gone", Within: wholeWait}
		err = kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
			pods, err := site.Cluster.PodsWith(ctx, now.Namespace, now.Spec.Selector.MatchLabels)
			return err == nil && len(pods) == int(*now.Spec.Replicas), fmt.Sprintf("%d pods", len(pods)), err
		})
		return "every replica of " + target + " is new", err
	}
}

// patience is how long evidence of a fault may take to show: longer than the
// 30 s between two signs of life on an idle connection to istiod.
const patience = 45 * time.Second

// eventually waits for evidence, which is what the probe saw last.
func eventually(ctx context.Context, what string, probe kube.Probe) (string, error) {
	var evidence string
	err := kube.Await(ctx, kube.Wait{What: what, Within: patience}, func(ctx context.Context) (bool, string, error) {
		done, state, err := probe(ctx)
		evidence = state
		return done, state, err
	})
	return evidence, err
}

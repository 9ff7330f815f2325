package play

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/peer"
)

//go:embed *.yaml
var files embed.FS

const (
	waypoint = "waypoint" // as waypoint.yaml calls it
	useLabel = "istio.io/use-waypoint"
	// within bounds what Kubernetes and the mesh need to follow a change.
	within = 2 * time.Minute
)

// namespaces makes upstream's, so that it finds those of a run, and a namespace
// of others is refused. The returned labels are what upstream has to leave on
// them: it writes them anew.
func (b *Bench) namespaces(ctx context.Context) (map[string]string, error) {
	manifests, err := kube.DecodeFile(files, "bed.yaml")
	if err != nil {
		return nil, err
	}
	if _, err := b.Cluster.Apply(ctx, b.Owner, manifests); err != nil {
		return nil, err
	}
	labels := map[string]string{kube.LabelRun: b.Owner.Run, kube.LabelManager: kube.Manager}
	maps.Copy(labels, manifests[0].Object.GetLabels())
	return labels, nil
}

// enrol makes upstream's namespace part of the mesh as wanted, and proves that
// every proxy has acknowledged what was changed until then, the routes of the
// mutant before included.
func (b *Bench) enrol(ctx context.Context, wanted peer.Enrolment) error {
	if b.enrolled == nil || *b.enrolled != wanted {
		b.enrolled = nil // half an enrolment is none
		if err := b.change(ctx, wanted); err != nil {
			return fmt.Errorf("enrol namespace %s: %w", peer.Namespace, err)
		}
	}
	if err := b.Gate.NodeProxies(ctx); err != nil {
		return err
	}
	if wanted.Waypoint {
		if err := b.Gate.Waypoints(ctx, peer.Namespace); err != nil {
			return err
		}
	}
	b.enrolled = &wanted
	return nil
}

func (b *Bench) change(ctx context.Context, wanted peer.Enrolment) error {
	if err := b.gateway(ctx, wanted.Waypoint); err != nil {
		return err
	}
	home, echo := kube.Ref{Name: peer.Namespace}, kube.Ref{Namespace: peer.Namespace, Name: peer.Services()[0]}
	if err := b.label(ctx, kube.Subject{Kind: kube.KindNamespace, Ref: home}, choose(wanted.Used, waypoint)); err != nil {
		return err
	}
	if err := b.label(ctx, kube.Subject{Kind: kube.KindService, Ref: echo}, choose(wanted.OptedOut, "none")); err != nil {
		return err
	}
	if !wanted.Waypoint {
		return nil // nobody is left to be bound to; the gate is proof enough
	}
	for _, name := range peer.Services() {
		service := kube.Ref{Namespace: peer.Namespace, Name: name}
		await := b.Cluster.AwaitUnbound
		if wanted.Used && !(wanted.OptedOut && service == echo) {
			await = func(ctx context.Context, service kube.Ref, within time.Duration) error {
				return b.Cluster.AwaitBound(ctx, service, peer.Namespace+"/"+waypoint, within)
			}
		}
		if err := await(ctx, service, within); err != nil {
			return err
		}
	}
	return nil
}

// gateway has the waypoint there, or not.
func (b *Bench) gateway(ctx context.Context, there bool) error {
	manifests, err := kube.DecodeFile(files, "waypoint.yaml")
	if err != nil {
		return err
	}
	if !there {
		return b.Cluster.Delete(ctx, b.Owner, manifests)
	}
	if _, err := b.Cluster.Apply(ctx, b.Owner, manifests); err != nil {
		return err
	}
	return b.Cluster.AwaitGateway(ctx, kube.Ref{Namespace: peer.Namespace, Name: waypoint}, within)
}

// choose is the value of a label, or what takes it away.
func choose(there bool, value string) string {
	if there {
		return fmt.Sprintf("%q", value)
	}
	return "null"
}

// label sets or takes away which waypoint an object goes by.
func (b *Bench) label(ctx context.Context, subject kube.Subject, value string) error {
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{%q:%s}}}`, useLabel, value))
	if err := b.Cluster.Objects().Patch(ctx, bare(subject.Kind, subject.Ref), patch); err != nil {
		return fmt.Errorf("label %s with %s %s: %w", subject, useLabel, value, err)
	}
	return nil
}

func bare(kind schema.GroupVersionKind, ref kube.Ref) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(ref.Namespace)
	object.SetName(ref.Name)
	return object
}

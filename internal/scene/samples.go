package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// sampleEvery is the pause between two readings of the cluster.
const sampleEvery = 250 * time.Millisecond

// watch reads the cluster until it is as promised or the drive's time for that
// has passed. What it says then is recorded either way, and judged later.
func (s *Scene) watch(ctx context.Context, index int, drive catalogue.Drive, promises []record.Promise) error {
	if len(drive.Samples) == 0 {
		return nil
	}
	s.run.Stages[index].Ended = time.Now().UTC()
	deadline := time.Now().Add(drive.Within)
	for {
		seen, err := s.sample(ctx, index, drive)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && s.asPromised(ctx, seen, promises) || time.Now().After(deadline) {
			return nil
		}
		if err := pause(ctx, sampleEvery); err != nil {
			return err
		}
	}
}

// lookAgain reads the cluster once more; what cannot be read now is missing.
func (s *Scene) lookAgain(ctx context.Context, index int, drive catalogue.Drive) error {
	_, err := s.sample(ctx, index, drive)
	if err != nil && ctx.Err() == nil {
		s.missing(index, fmt.Errorf("samples of the cluster: %w", err))
	}
	return ctx.Err()
}

// asPromised says whether every promise about samples would hold on these.
func (s *Scene) asPromised(ctx context.Context, samples []record.Sample, promises []record.Promise) bool {
	now := &record.Memory{Record: s.run}
	for _, sample := range samples {
		if now.Sample(&sample) != nil {
			return false
		}
	}
	for _, promise := range promises {
		if promise.Kind != claim.KindRows && promise.Kind != claim.KindSeries {
			continue
		}
		if claim.One(ctx, now, promise).Verdict != record.Held {
			return false
		}
	}
	return true
}

// sample reads everything that a drive asks for once, and records it.
func (s *Scene) sample(ctx context.Context, index int, drive catalogue.Drive) ([]record.Sample, error) {
	var all []record.Sample
	for _, what := range drive.Samples {
		kind, object, _ := strings.Cut(what, "/")
		look, known := s.looks()[kind]
		if !known {
			return nil, fmt.Errorf("no kind of sample %q", kind)
		}
		seen, err := look(ctx, object)
		if err != nil {
			return nil, err
		}
		for _, one := range seen {
			one.Stage, one.At, one.Series = index, time.Now().UTC(), kind+"/"+one.Series
			all = append(all, one)
		}
	}
	for i := range all {
		if err := errors.Join(s.writer.Sample(&all[i]), s.current.Sample(&all[i])); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// look reads samples of one object; their series lack the kind.
type look func(ctx context.Context, object string) ([]record.Sample, error)

func (s *Scene) looks() map[string]look {
	return map[string]look{
		catalogue.SampleGateway: s.lookAtGateway,
		catalogue.SampleProxy:   s.lookAtProxies,
		catalogue.SampleBound:   s.lookAtServices,
		catalogue.SampleTable:   s.lookAtTable,
	}
}

func refOf(object string) kube.Ref {
	namespace, name, _ := strings.Cut(object, "/")
	return kube.Ref{Namespace: namespace, Name: name}
}

// lookAtGateway reads the conditions that matter of a Gateway.
func (s *Scene) lookAtGateway(ctx context.Context, object string) ([]record.Sample, error) {
	gateway, err := s.cluster.Read(ctx, kube.KindGateway, refOf(object))
	if err != nil {
		return nil, err
	}
	var samples []record.Sample
	for _, condition := range []string{"Accepted", "Programmed"} {
		value, text := stands(gateway, condition)
		samples = append(samples, record.Sample{Series: object + "/" + condition, Value: value, Text: text})
	}
	return samples, nil
}

func stands(object *unstructured.Unstructured, condition string) (float64, string) {
	if object == nil {
		return 0, "absent"
	}
	holds, text := kube.Holds(object, condition)
	if holds {
		return 1, text
	}
	return 0, text
}

// lookAtServices reads which waypoint istiod says serves each Service of a
// namespace.
func (s *Scene) lookAtServices(ctx context.Context, namespace string) ([]record.Sample, error) {
	services, err := s.cluster.Set().CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services of %s: %w", namespace, err)
	}
	var samples []record.Sample
	for _, service := range services.Items {
		ref := kube.Ref{Namespace: namespace, Name: service.Name}
		read, err := s.cluster.Read(ctx, kube.KindService, ref)
		if err != nil {
			return nil, err
		}
		if read != nil {
			samples = append(samples, record.Sample{Series: ref.String(), Text: kube.WaypointOf(read)})
		}
	}
	return samples, nil
}

// lookAtProxies asks the Envoy of each of a Gateway's pods what it is.
func (s *Scene) lookAtProxies(ctx context.Context, object string) ([]record.Sample, error) {
	pods, err := s.waypointPods(ctx, object)
	if err != nil {
		return nil, err
	}
	said := []string{}
	for _, pod := range pods {
		node, err := s.nodeID(ctx, kube.Ref{Namespace: pod.Namespace, Name: pod.Name})
		if err != nil {
			return nil, err
		}
		kind, _, _ := strings.Cut(node, "~")
		said = append(said, kind)
	}
	slices.Sort(said)
	text := strings.Join(slices.Compact(said), " and ")
	if text == "" {
		text = "none"
	}
	return []record.Sample{{Series: object, Value: float64(len(pods)), Text: text}}, nil
}

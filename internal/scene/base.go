package scene

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// layers says which manifests bring the demo from one base to the next.
func layers() map[catalogue.Base][]catalogue.Piece {
	return map[catalogue.Base][]catalogue.Piece{
		catalogue.Demo: {
			{File: "travel/01-namespaces.yaml"},
			{File: "travel/02-agency.yaml"},
			{File: "travel/03-portal.yaml"},
			{File: "travel/04-control.yaml"},
			{File: "travel/05-gateway.yaml"},
			{File: "travel/06-control-waypoint.yaml"},
			{File: "load/load.yaml"},
			{File: "tracing/otel-collector.yaml"},
		},
		catalogue.Enrolled: {{File: "workshop/01-waypoints-create.yaml"}, {File: "workshop/02_1-ns-use-waypoints.yaml"}},
		catalogue.Versions: {{File: "corrected/05-cars-app-v2.yaml"}, {File: "workshop/06-cars-services.yaml"}},
	}
}

// ensure brings the demo to a base, from wherever it is.
func (s *Scene) ensure(ctx context.Context, base catalogue.Base) error {
	for next := s.next(); next <= base; next++ {
		if err := s.layer(ctx, next); err != nil {
			return fmt.Errorf("bring up the travel demo: %w", err)
		}
		s.base, s.based, s.bare = next, true, false
	}
	return nil
}

func (s *Scene) next() catalogue.Base {
	if !s.based {
		return catalogue.Demo
	}
	return s.base + 1
}

func (s *Scene) layer(ctx context.Context, base catalogue.Base) (err error) {
	done := s.progress.Step("travel demo: " + strings.ToLower([]string{"services", "waypoints and enrolment", "cars-v2 and its Services"}[base]))
	defer func() { done(err) }()
	objects, err := s.objects(layers()[base])
	if err != nil {
		return err
	}
	if err := s.put(ctx, "demo", objects); err != nil {
		return err
	}
	if err := s.settle(ctx, objects); err != nil {
		return err
	}
	return s.told(ctx, base)
}

// told waits until the proxies know what a base added. A ready pod is not yet
// an endpoint of every waypoint: cars-v2 got none of the first 38 requests once.
func (s *Scene) told(ctx context.Context, base catalogue.Base) error {
	switch base {
	case catalogue.Enrolled:
		if err := s.bound(ctx); err != nil {
			return err
		}
		return s.proof(ctx, []string{"travel-agency", "travel-portal"})
	case catalogue.Versions:
		if err := s.nodesProven(ctx); err != nil {
			return err
		}
		return s.proof(ctx, []string{"travel-agency"})
	default:
		return nil // no waypoint yet: plain connections need no proxy's word
	}
}

// enrolled is which waypoint each namespace uses after task 2.
func enrolled() map[string]string {
	return map[string]string{"travel-agency": "waypoint-travel-agency", "travel-portal": "waypoint-travel-portal"}
}

// bound waits until every Service of the enrolled namespaces says that it is
// bound to its waypoint, and every node proxy has been told.
func (s *Scene) bound(ctx context.Context) error {
	for namespace, waypoint := range enrolled() {
		services, err := s.cluster.Set().CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list services of %s: %w", namespace, err)
		}
		for _, service := range services.Items {
			if service.Name == waypoint {
				continue // a waypoint's own Service goes by no waypoint
			}
			if err := s.cluster.AwaitBound(ctx, kube.Ref{Namespace: namespace, Name: service.Name}, waypoint, settleWait); err != nil {
				return err
			}
		}
	}
	return s.nodesProven(ctx)
}

// stretch gives a scenario's waypoints their replicas. Those of the scenario
// before are taken back only now, and only if this one wants others: to lose a
// replica and to get it again takes a drain and a start each time.
func (s *Scene) stretch(ctx context.Context, replicas map[string]int32) error {
	wanted := map[string]int32{}
	for waypoint := range s.scales {
		wanted[waypoint] = 1
	}
	maps.Copy(wanted, replicas)
	s.scales = wanted // also if it fails on the way
	if err := s.scale(ctx, wanted); err != nil {
		return err
	}
	s.scales = replicas
	return nil
}

// scale gives waypoints a number of replicas and waits until they serve.
func (s *Scene) scale(ctx context.Context, replicas map[string]int32) error {
	var namespaces []string
	for waypoint, count := range replicas {
		namespace, name, _ := strings.Cut(waypoint, "/")
		deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, count))
		if err := s.cluster.Objects().Patch(ctx, deployment, patch); err != nil {
			return fmt.Errorf("scale waypoint %s to %d: %w", waypoint, count, err)
		}
		if err := s.replicas(ctx, namespace, name, count); err != nil {
			return err
		}
		s.event("scaled", "Deployment "+waypoint, fmt.Sprint(count))
		namespaces = append(namespaces, namespace)
	}
	slices.Sort(namespaces)
	if len(namespaces) == 0 {
		return nil
	}
	if err := s.nodesProven(ctx); err != nil {
		return err
	}
	return s.proof(ctx, namespaces)
}

// replicas waits until exactly count pods of a waypoint are there and ready.
func (s *Scene) replicas(ctx context.Context, namespace, name string, count int32) error {
	what := fmt.Sprintf("%d replicas of waypoint %s/%s", count, namespace, name)
	return kube.Await(ctx, kube.Wait{What: what, Within: 2 * time.Minute}, func(ctx context.Context) (bool, string, error) {
		pods, err := s.waypointPods(ctx, namespace+"/"+name)
		ready := int32(0)
		for _, pod := range pods {
			if kube.Ready(&pod) {
				ready++
			}
		}
		return err == nil && ready == count && len(pods) == int(count), fmt.Sprintf("%d pods, %d ready", len(pods), ready), err
	})
}

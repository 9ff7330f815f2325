package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	telemetryv1 "istio.io/client-go/pkg/apis/telemetry/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// apply puts pieces into the mesh, strictly, and waits until they are accepted.
func (s *Scene) apply(ctx context.Context, scenario catalogue.Scenario, pieces []catalogue.Piece) error {
	if len(pieces) == 0 {
		return nil
	}
	objects, err := s.objects(whole(pieces))
	if err != nil {
		return err
	}
	put := s.put
	if slices.ContainsFunc(pieces, func(piece catalogue.Piece) bool { return piece.Lenient }) {
		put = s.putLeniently
	}
	if err := put(ctx, scenario.Task, objects); err != nil {
		return err
	}
	s.applied = append(s.applied, objects...)
	waited, err := s.objects(whole(awaited(pieces)))
	if err != nil {
		return err
	}
	if err := errors.Join(s.settle(ctx, waited), s.lend(ctx, pieces)); err != nil {
		return err
	}
	s.owe(scenario)
	return nil
}

// withdraw deletes pieces again.
func (s *Scene) withdraw(ctx context.Context, scenario catalogue.Scenario, pieces []catalogue.Piece) error {
	if len(pieces) == 0 {
		return nil
	}
	objects, err := s.objects(whole(pieces))
	if err != nil {
		return err
	}
	if err := s.reclaim(ctx); err != nil {
		return err
	}
	if err := s.cluster.Delete(ctx, s.owner, objects); err != nil {
		return err
	}
	for _, object := range objects {
		s.event("deleted", object.String(), object.File)
	}
	s.applied = slices.DeleteFunc(s.applied, func(m kube.Manifest) bool {
		return slices.ContainsFunc(objects, func(gone kube.Manifest) bool { return gone.String() == m.String() })
	})
	s.owe(scenario)
	return nil
}

// leaveWait bounds what is done after a scenario, also an aborted one.
const leaveWait = 90 * time.Second

// leave takes away what the scenario put there. Its waypoints keep their replicas
// for the next one.
func (s *Scene) leave(ctx context.Context, scenario catalogue.Scenario, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWait)
	defer cancel()
	left := s.applied
	if len(left)+len(s.lent) == 0 {
		return err
	}
	s.applied = nil
	s.owe(scenario) // else the next scenario's load may still meet them
	return errors.Join(err, s.reclaim(ctx), s.discard(ctx, left))
}

// put applies objects and keeps what the server had to say.
func (s *Scene) put(ctx context.Context, task string, objects []kube.Manifest) error {
	findings, err := s.cluster.Apply(ctx, s.owner, objects)
	s.found(task, findings...)
	for _, object := range objects {
		s.event("applied", object.String(), object.File)
	}
	return err
}

// objects reads pieces and fits them to this run: our agent image, the weights
// that a piece changes.
func (s *Scene) objects(pieces []catalogue.Piece) ([]kube.Manifest, error) {
	var all []kube.Manifest
	for _, piece := range pieces {
		read, err := contents(piece)
		if err != nil {
			return nil, err
		}
		for _, object := range read {
			if len(piece.Only) > 0 && !slices.Contains(piece.Only, object.GetKind()) {
				continue
			}
			fitted, err := s.fitted(object, piece)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", piece.File, err)
			}
			if fitted == nil {
				continue
			}
			all = append(all, kube.Manifest{File: "fixtures/manifests/" + piece.File, Object: fitted})
		}
	}
	return all, nil
}

// contents are the objects of a piece, read or made.
func contents(piece catalogue.Piece) ([]*unstructured.Unstructured, error) {
	if piece.Route == nil {
		return manifests.Objects(piece.File)
	}
	route, err := manifests.Encode(piece.Route)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", piece.File, err)
	}
	return []*unstructured.Unstructured{route}, nil
}

// fitted is an object as it is applied, or nil if the piece's change leaves it
// out.
func (s *Scene) fitted(object *unstructured.Unstructured, piece catalogue.Piece) (*unstructured.Unstructured, error) {
	fitted, err := s.fit(object, piece)
	if err != nil || piece.Change == nil {
		return fitted, err
	}
	return piece.Change(fitted)
}

func (s *Scene) fit(object *unstructured.Unstructured, piece catalogue.Piece) (*unstructured.Unstructured, error) {
	switch object.GetKind() {
	case "Deployment":
		return manifests.Change(object, func(deployment *appsv1.Deployment) error {
			manifests.SetImage(deployment, s.agent)
			return nil
		})
	case "HTTPRoute":
		if piece.Weights == nil {
			return object, nil
		}
		return manifests.Change(object, func(route *gatewayv1.HTTPRoute) error {
			return manifests.SetWeights(route, piece.Weights)
		})
	case "Telemetry":
		if piece.Sampling == nil {
			return object, nil
		}
		return manifests.Change(object, func(telemetry *telemetryv1.Telemetry) error {
			return manifests.SetSampling(telemetry, *piece.Sampling)
		})
	default:
		return object, nil
	}
}

// settleWait bounds how long an applied object may take to be accepted.
const settleWait = 90 * time.Second

// settle waits until routes are accepted and workloads run.
func (s *Scene) settle(ctx context.Context, objects []kube.Manifest) error {
	for _, object := range objects {
		ref := kube.Ref{Namespace: object.Object.GetNamespace(), Name: object.Object.GetName()}
		var err error
		switch object.Object.GetKind() {
		case "HTTPRoute":
			err = s.cluster.AwaitRoute(ctx, ref, settleWait)
		case "Deployment":
			err = s.cluster.AwaitDeployment(ctx, ref, settleWait)
		case "Gateway":
			err = s.cluster.AwaitGateway(ctx, ref, settleWait)
		case "HorizontalPodAutoscaler":
			err = s.awaitScaling(ctx, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// config says in lines how the routes of a scenario stand.
func (s *Scene) config(ctx context.Context) []string {
	var lines []string
	for _, manifest := range s.applied {
		object := manifest.Object
		live, err := s.cluster.Read(ctx, object.GroupVersionKind(), kube.Ref{Namespace: object.GetNamespace(), Name: object.GetName()})
		if err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", manifest, err))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s generation %d%s", manifest, live.GetGeneration(), conditions(live)))
	}
	return lines
}

// conditions lists the true conditions of a route's parents.
func conditions(object *unstructured.Unstructured) string {
	parents, _, err := unstructured.NestedSlice(object.Object, "status", "parents")
	if err != nil {
		return ""
	}
	var names []string
	for _, parent := range parents {
		fields, _ := parent.(map[string]any)
		list, _, err := unstructured.NestedSlice(fields, "conditions")
		if err != nil {
			continue
		}
		for _, item := range list {
			condition, _ := item.(map[string]any)
			if condition["status"] == "True" {
				names = append(names, fmt.Sprint(condition["type"]))
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

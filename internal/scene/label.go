package scene

import (
	"context"
	"fmt"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
)

// whole are the pieces that are objects of their own, lent those of which only
// the labels count.
func whole(pieces []catalogue.Piece) (made []catalogue.Piece) {
	for _, piece := range pieces {
		if !piece.Labels {
			made = append(made, piece)
		}
	}
	return made
}

func lent(pieces []catalogue.Piece) (labels []catalogue.Piece) {
	for _, piece := range pieces {
		if piece.Labels {
			labels = append(labels, piece)
		}
	}
	return labels
}

// awaited are the pieces that must be accepted before anything goes on.
func awaited(pieces []catalogue.Piece) (waited []catalogue.Piece) {
	for _, piece := range pieces {
		if !piece.Unawaited {
			waited = append(waited, piece)
		}
	}
	return waited
}

// lend labels what is there already.
func (s *Scene) lend(ctx context.Context, pieces []catalogue.Piece) error {
	objects, err := s.objects(lent(pieces))
	if err != nil || len(objects) == 0 {
		return err
	}
	s.lent = append(s.lent, objects...) // before the deed: half a loan is taken back too
	if err := s.cluster.Lend(ctx, s.owner, objects); err != nil {
		return err
	}
	for _, object := range objects {
		s.event("labelled", object.String(), fmt.Sprint(object.Object.GetLabels()))
	}
	return nil
}

// reclaim takes back the labels that the scenario lent.
func (s *Scene) reclaim(ctx context.Context) error {
	objects := s.lent
	if err := s.cluster.Reclaim(ctx, objects); err != nil {
		return err
	}
	s.lent = nil
	for _, object := range objects {
		s.event("label taken back", object.String(), object.File)
	}
	return nil
}

// strip takes away what goes beyond a base, whoever put it there, and waits
// until no waypoint is used by the demo any more.
func (s *Scene) strip(ctx context.Context, base catalogue.Base) (err error) {
	if s.bare && s.base == base {
		return nil
	}
	done := s.progress.Step("travel demo: take away what goes beyond the scenario's base")
	defer func() { done(err) }()
	for above := catalogue.Versions; above > base; above-- {
		if err := s.removeLayer(ctx, above); err != nil {
			return fmt.Errorf("take the travel demo back: %w", err)
		}
	}
	// Applied anew, namespaces lose the labels that only later bases declare.
	if err := s.layer(ctx, catalogue.Demo); err != nil {
		return fmt.Errorf("take the travel demo back: %w", err)
	}
	if base < catalogue.Enrolled {
		s.scales = nil // they went with their Gateways
	}
	s.base, s.bare = base, true
	return s.nodesProven(ctx)
}

// removeLayer deletes a base's objects but its namespaces, which are others' too.
func (s *Scene) removeLayer(ctx context.Context, base catalogue.Base) error {
	objects, err := s.objects(layers()[base])
	if err != nil {
		return err
	}
	var own, namespaces []kube.Manifest
	for _, object := range objects {
		if object.Object.GetKind() == "Namespace" {
			namespaces = append(namespaces, object)
		} else {
			own = append(own, object)
		}
	}
	if err := s.cluster.Reclaim(ctx, namespaces); err != nil {
		return err
	}
	return s.discard(ctx, own)
}

// discard deletes objects, and with a Gateway waits for its proxies to go: one
// made anew under the name would be given the old one's, which the garbage
// collector then takes away.
func (s *Scene) discard(ctx context.Context, objects []kube.Manifest) error {
	if err := s.cluster.Delete(ctx, s.owner, objects); err != nil {
		return err
	}
	s.waive(objects)
	for _, object := range objects {
		if object.Object.GetKind() != "Gateway" {
			continue
		}
		if err := s.replicas(ctx, object.Object.GetNamespace(), object.Object.GetName(), 0); err != nil {
			return err
		}
	}
	return nil
}

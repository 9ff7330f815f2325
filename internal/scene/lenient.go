package scene

import (
	"context"
	"errors"
	"fmt"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// putLeniently offers objects to strict validation first, whose refusal is a
// finding in the server's words, and then applies them as a client does that
// does not ask for it: what the server drops is a finding too.
func (s *Scene) putLeniently(ctx context.Context, task string, objects []kube.Manifest) error {
	for _, object := range objects {
		if err := s.offer(ctx, task, object); err != nil {
			return err
		}
	}
	findings, err := s.cluster.ApplyLenient(ctx, s.owner, objects)
	s.found(task, findings...)
	for _, object := range objects {
		s.event("applied leniently", object.String(), object.File)
	}
	return err
}

// offer applies one object strictly. That it is taken is a finding as well,
// since it stands among those that are expected not to be.
func (s *Scene) offer(ctx context.Context, task string, object kube.Manifest) error {
	_, err := s.cluster.Apply(ctx, s.owner, []kube.Manifest{object})
	var refusal *kube.ApplyError
	switch {
	case err == nil:
		s.found(task, record.Finding{Object: object.String(), Text: object.File + " is taken by strict field validation"})
	case errors.As(err, &refusal):
		s.found(task, record.Finding{Object: object.String(), Text: fmt.Sprintf("%s is refused by strict field validation: %v", object.File, refusal.Err)})
		s.event("refused", object.String(), refusal.Error())
	default:
		return err
	}
	return nil
}

// found keeps findings of a task.
func (s *Scene) found(task string, findings ...record.Finding) {
	for _, finding := range findings {
		finding.Task = task
		s.run.Findings = append(s.run.Findings, finding)
	}
}

package post

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// Heal carries out every pledge that is written down and takes it away, with the
// heartbeat of its run: a harness that lives makes a new one. It returns what was
// done, in lines.
func (p *Post) Heal(ctx context.Context) ([]string, error) {
	return p.healThose(ctx, func(Stored) bool { return true })
}

// HealOwn does so with the pledges of this post's run, and refuses to be the last
// word where another's fault is open: what undoes it must stay.
func (p *Post) HealOwn(ctx context.Context) ([]string, error) {
	lines, err := p.healThose(ctx, func(one Stored) bool { return one.Run == p.owner.Run })
	if err != nil {
		return lines, err
	}
	left, err := p.Pledges(ctx)
	if apierrors.IsForbidden(err) {
		return lines, nil // nor could this run have written any
	}
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("fault %s of %s is pledged by run %q (%s): what undoes it stays; `wayproof heal` ends it", left[0].Fault, left[0].Target, left[0].Run, left[0].ID)
	}
	return lines, err
}

func (p *Post) healThose(ctx context.Context, chosen func(Stored) bool) ([]string, error) {
	all, err := p.Pledges(ctx)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil, nil
	}
	var lines []string
	for _, one := range all {
		if !chosen(one) {
			continue
		}
		done, failed := p.heal(ctx, one)
		lines, err = append(lines, done...), errors.Join(err, failed)
	}
	return lines, err
}

// heal carries one pledge out.
func (p *Post) heal(ctx context.Context, one Stored) ([]string, error) {
	if one.Broken != nil {
		return nil, fmt.Errorf("pledge %s cannot be carried out; remove the ConfigMap of that name from %s when what it was about is undone: %w", one.ID, pledge.Namespace, one.Broken)
	}
	lines, err := p.Carry(ctx, one.Undo)
	if err != nil {
		return lines, fmt.Errorf("pledge %s: %w", one.ID, err)
	}
	err = errors.Join(p.erase(ctx, one.ID), p.silence(ctx, one.Run))
	return append(lines, "pledge "+one.ID+" kept and taken away"), err
}

// silence takes the heartbeat of a run away.
func (p *Post) silence(ctx context.Context, run string) error {
	err := p.cluster.Set().CoordinationV1().Leases(pledge.Namespace).Delete(ctx, pledge.Lease(run), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("take the heartbeat of run %s away: %w", run, err)
	}
	return nil
}

// Carry carries steps out, all of them even if one fails.
func (p *Post) Carry(ctx context.Context, steps []pledge.Step) ([]string, error) {
	var lines []string
	var all error
	for _, step := range steps {
		err := p.carry(ctx, step)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", step.Say, err))
			continue
		}
		lines = append(lines, step.Say)
	}
	return lines, all
}

func (p *Post) carry(ctx context.Context, step pledge.Step) error {
	if step.Deed != nil {
		_, err := p.Hand(ctx, "undo", *step.Deed)
		return err
	}
	_, err := p.Call(ctx, *step.Request)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Call makes a request of a step with the harness's own rights.
func (p *Post) Call(ctx context.Context, r pledge.Request) ([]byte, error) {
	request := p.cluster.Set().CoreV1().RESTClient().Verb(r.Method).RequestURI(r.Path)
	if r.ContentType != "" {
		request = request.SetHeader("Content-Type", r.ContentType)
	}
	if len(r.Body) > 0 {
		request = request.Body([]byte(r.Body))
	}
	body, err := request.Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return body, nil
}

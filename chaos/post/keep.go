package post

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// Written keeps one pledge in the cluster; it is a chaos.Keeper.
type Written struct {
	post   *Post
	pledge pledge.Pledge
}

// Keep prepares a pledge of this post's run.
func (p *Post) Keep(of pledge.Pledge) *Written {
	of.Run = p.owner.Run
	return &Written{post: p, pledge: of}
}

// Write stores the pledge, after a heartbeat: a pledge without one would be
// carried out at once. It refuses while another fault is pledged: one failure
// domain at a time.
func (w *Written) Write(ctx context.Context) error {
	others, err := w.post.Pledges(ctx)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return fmt.Errorf("fault %s of %s is still pledged (%s): one at a time; `wayproof heal` ends it", others[0].Fault, others[0].Target, others[0].ID)
	}
	if err := w.post.beat(ctx); err != nil {
		return err
	}
	w.pledge.Written = time.Now().UTC()
	text, err := w.pledge.Encode()
	if err != nil {
		return err
	}
	_, err = w.post.maps().Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: w.pledge.ID, Labels: map[string]string{
			pledge.Label: "fault", kube.LabelRun: w.post.owner.Run, kube.LabelManager: kube.Manager,
		}},
		Data: map[string]string{pledge.Key: text},
	}, metav1.CreateOptions{FieldManager: kube.Manager})
	if err != nil {
		return fmt.Errorf("write pledge %s: %w", w.pledge.ID, err)
	}
	return nil
}

// Erase takes the pledge away.
func (w *Written) Erase(ctx context.Context) error { return w.post.erase(ctx, w.pledge.ID) }

func (p *Post) erase(ctx context.Context, id string) error {
	if err := p.maps().Delete(ctx, id, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("take pledge %s away: %w", id, err)
	}
	return nil
}

// maps is the client of the namespace's ConfigMaps.
func (p *Post) maps() configMaps { return p.cluster.Set().CoreV1().ConfigMaps(pledge.Namespace) }

type configMaps interface {
	Create(ctx context.Context, m *corev1.ConfigMap, o metav1.CreateOptions) (*corev1.ConfigMap, error)
	Delete(ctx context.Context, name string, o metav1.DeleteOptions) error
	List(ctx context.Context, o metav1.ListOptions) (*corev1.ConfigMapList, error)
}

// Pledges lists what is written down, whoever wrote it.
func (p *Post) Pledges(ctx context.Context) ([]pledge.Pledge, error) {
	list, err := p.maps().List(ctx, metav1.ListOptions{LabelSelector: pledge.Label})
	if err != nil {
		return nil, fmt.Errorf("list pledges: %w", err)
	}
	var all []pledge.Pledge
	for _, item := range list.Items {
		one, err := pledge.Decode(item.Data[pledge.Key])
		if err != nil {
			return nil, fmt.Errorf("pledge %s: %w", item.Name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// Heart beats until the returned function is called, which also takes the
// heartbeat away. Failed beats are told; the watchdog decides what they mean.
func (p *Post) Heart(ctx context.Context, failed func(error)) (func(), error) {
	if err := p.beat(ctx); err != nil {
		return nil, err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(pledge.Beat)
		defer ticker.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-ticker.C:
				if err := p.beat(beating); err != nil && beating.Err() == nil {
					failed(err)
				}
			}
		}
	}()
	return func() {
		stop()
		<-ended
		gone, cancel := context.WithTimeout(context.WithoutCancel(ctx), pledge.Beat)
		defer cancel()
		if err := p.cluster.Set().CoordinationV1().Leases(pledge.Namespace).Delete(gone, pledge.Lease(p.owner.Run), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			failed(fmt.Errorf("take the heartbeat away: %w", err))
		}
	}, nil
}

// beat renews the run's Lease, or makes it.
func (p *Post) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pledge.Beat)
	defer cancel()
	leases := p.cluster.Set().CoordinationV1().Leases(pledge.Namespace)
	name, now, holder := pledge.Lease(p.owner.Run), metav1.NowMicro(), "wayproof"
	seconds := int32(pledge.Silence / time.Second)
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{kube.LabelRun: p.owner.Run, kube.LabelManager: kube.Manager}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now},
		}, metav1.CreateOptions{})
	} else if err == nil {
		lease.Spec.RenewTime = &now
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("beat heart of run %s: %w", p.owner.Run, err)
	}
	return nil
}

// Heal carries out every pledge that is written down and takes it away. It
// returns what was done, in lines.
func (p *Post) Heal(ctx context.Context) ([]string, error) {
	all, err := p.Pledges(ctx)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	var lines []string
	for _, one := range all {
		done, failed := p.Carry(ctx, one.Undo)
		lines = append(lines, done...)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("pledge %s: %w", one.ID, failed))
			continue
		}
		err = errors.Join(err, p.erase(ctx, one.ID))
		lines = append(lines, "pledge "+one.ID+" kept and taken away")
	}
	return lines, err
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

// Nodes lists the nodes that have a hand.
func (p *Post) Nodes(ctx context.Context) ([]string, error) {
	pods, err := p.cluster.PodsBy(ctx, pledge.Namespace, "app=hand")
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range pods {
		if kube.Ready(&pods[i]) {
			names = append(names, pods[i].Spec.NodeName)
		}
	}
	slices.Sort(names)
	return names, nil
}

// lines splits output, without empty lines.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

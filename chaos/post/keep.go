package post

import (
	"context"
	"fmt"
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
	for _, other := range others {
		if other.Broken == nil {
			return fmt.Errorf("fault %s of %s is still pledged (%s): one at a time; `wayproof heal` ends it", other.Fault, other.Target, other.ID)
		}
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

// Stands makes sure that nobody has begun to carry the pledge out: it is there,
// and no party has said that it is done.
func (w *Written) Stands(ctx context.Context) error {
	stored, err := w.post.maps().Get(ctx, w.pledge.ID, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("look at pledge %s: %w", w.pledge.ID, err)
	}
	for key, at := range stored.Data {
		if party, done := pledge.DoneBy(key); done {
			return fmt.Errorf("pledge %s was carried out by %s at %s", w.pledge.ID, party, at)
		}
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
	Get(ctx context.Context, name string, o metav1.GetOptions) (*corev1.ConfigMap, error)
	Delete(ctx context.Context, name string, o metav1.DeleteOptions) error
	List(ctx context.Context, o metav1.ListOptions) (*corev1.ConfigMapList, error)
}

// Stored is a pledge as it lies in the cluster. Of one that cannot be read only
// the id is known.
type Stored struct {
	pledge.Pledge

	Broken error
}

// Pledges lists what is written down, whoever wrote it. One that cannot be read
// is no reason to be silent about the others.
func (p *Post) Pledges(ctx context.Context) ([]Stored, error) {
	list, err := p.maps().List(ctx, metav1.ListOptions{LabelSelector: pledge.Label})
	if err != nil {
		return nil, fmt.Errorf("list pledges: %w", err)
	}
	all := make([]Stored, len(list.Items))
	for i, item := range list.Items {
		all[i].Pledge, all[i].Broken = pledge.Decode(item.Data[pledge.Key])
		all[i].ID = item.Name
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
		if err := p.silence(gone, p.owner.Run); err != nil {
			failed(err)
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

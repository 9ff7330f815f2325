package ambient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/kube"
)

// healthyWithin bounds Healthy: it is asked before every run and must not be felt.
const healthyWithin = 2 * time.Second

// Healthy looks once, within two seconds, whether the mesh can be used as it
// is: definitions there, istiod, CNI and node proxy with all their pods, and a
// metrics API with figures. The error says everything that is missing.
func Healthy(ctx context.Context, cluster *kube.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, healthyWithin)
	defer cancel()
	checks := []func(context.Context, *kube.Cluster) error{
		routesKnown, istiodReady, cniReady, ztunnelReady,
		func(ctx context.Context, cluster *kube.Cluster) error { return cluster.MetricsServed(ctx) },
	}
	failures := make([]error, len(checks))
	var group errgroup.Group
	for i, check := range checks {
		group.Go(func() error {
			failures[i] = check(ctx, cluster)
			return nil // all checks are wanted, not the first failure
		})
	}
	return errors.Join(group.Wait(), errors.Join(failures...))
}

func routesKnown(ctx context.Context, cluster *kube.Cluster) error {
	_, err := definition(ctx, cluster)
	return err
}

func istiodReady(ctx context.Context, cluster *kube.Cluster) error {
	return ready(ctx, cluster, kube.Subject{Kind: kube.KindDeployment, Ref: istiod})
}

func cniReady(ctx context.Context, cluster *kube.Cluster) error {
	return ready(ctx, cluster, kube.Subject{Kind: kube.KindDaemonSet, Ref: cniNode})
}

func ztunnelReady(ctx context.Context, cluster *kube.Cluster) error {
	set, err := FindZtunnel(ctx, cluster)
	if err != nil {
		return err
	}
	return ready(ctx, cluster, kube.Subject{Kind: kube.KindDaemonSet, Ref: kube.Ref{Namespace: set.Namespace, Name: set.Name}})
}

func ready(ctx context.Context, cluster *kube.Cluster, subject kube.Subject) error {
	object, err := cluster.Read(ctx, subject.Kind, subject.Ref)
	if err != nil {
		return err
	}
	if object == nil {
		return fmt.Errorf("%s is not there", subject)
	}
	if ok, state := kube.RolledOut(object); !ok {
		return fmt.Errorf("%s is not ready: %s", subject, state)
	}
	return nil
}

// FindZtunnel finds the node proxy's DaemonSet in whatever namespace it is.
func FindZtunnel(ctx context.Context, cluster *kube.Cluster) (*appsv1.DaemonSet, error) {
	list, err := cluster.Set().AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=ztunnel"})
	if err != nil {
		return nil, fmt.Errorf("look for ztunnel: %w", err)
	}
	for i := range list.Items {
		if list.Items[i].Spec.Template.Labels["app"] == "ztunnel" {
			return &list.Items[i], nil
		}
	}
	return nil, errors.New("no ztunnel: istio is not installed in ambient mode")
}

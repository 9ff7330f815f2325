// Package post is the harness's side of crash-safe faults: it puts the watchdog
// and the hands into the cluster, writes pledges, keeps the heartbeat, has the
// hands do deeds, carries pledges out by hand, and reads the digest of
// everything that a fault may have changed.
//
// It undoes; what to break and how is chaos/fault's.
package post

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/kube"
)

//go:embed manifests.yaml
var yaml []byte

// Post is one run's place in the cluster.
type Post struct {
	cluster *kube.Cluster
	owner   kube.Owner
	agent   string // image of the agent
	reach   Reach
}

// Reach is where faults may be.
type Reach struct {
	// Read lists the namespaces of which the digest is taken.
	Read []string
	// Undo lists those of them in which a pledge may ask for something of the API
	// server: the watchdog gets the right to that there, and nowhere else.
	Undo []string
}

// New makes a post; nothing is in the cluster before Install.
func New(cluster *kube.Cluster, owner kube.Owner, agent string) *Post {
	return &Post{cluster: cluster, owner: owner, agent: agent}
}

// startWait bounds how long watchdog and hands may take to start.
const startWait = 90 * time.Second

// Install puts watchdog and hands into the cluster.
func (p *Post) Install(ctx context.Context, reach Reach) error {
	p.reach = reach
	objects, err := p.objects()
	if err != nil {
		return err
	}
	if _, err := p.cluster.Apply(ctx, p.guesting(), objects); err != nil {
		return fmt.Errorf("install the watchdog: %w", err)
	}
	if err := p.cluster.AwaitDeployment(ctx, kube.Ref{Namespace: pledge.Namespace, Name: "watchdog"}, startWait); err != nil {
		return err
	}
	return p.cluster.AwaitDaemonSet(ctx, kube.Ref{Namespace: pledge.Namespace, Name: "hand"}, startWait)
}

// guesting may put a role into each namespace that it reaches.
func (p *Post) guesting() kube.Owner {
	owner := p.owner
	owner.Guest = slices.Concat(owner.Guest, p.reach.Undo)
	return owner
}

func (p *Post) objects() ([]kube.Manifest, error) {
	read, err := kube.Decode("chaos/post/manifests.yaml", bytes.NewReader(yaml))
	if err != nil {
		return nil, err
	}
	for i, manifest := range read {
		if read[i].Object, err = p.fit(manifest.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", manifest, err)
		}
	}
	for _, namespace := range p.reach.Undo {
		rights, err := undoRights(namespace)
		if err != nil {
			return nil, err
		}
		read = append(read, rights...)
	}
	return read, nil
}

func (p *Post) fit(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	switch object.GetKind() {
	case "Deployment":
		return manifests.Change(object, func(d *appsv1.Deployment) error {
			manifests.SetImage(d, p.agent)
			return nil
		})
	case "DaemonSet":
		return manifests.Change(object, func(d *appsv1.DaemonSet) error {
			for i := range d.Spec.Template.Spec.Containers {
				d.Spec.Template.Spec.Containers[i].Image = p.agent
			}
			return nil
		})
	}
	return object, nil
}

// undoRights lets the watchdog patch back, in one namespace, what faults patch:
// workloads and routes. It may not read them.
func undoRights(namespace string) ([]kube.Manifest, error) {
	meta := metav1.ObjectMeta{Name: "wayproof-watchdog", Namespace: namespace}
	role := &rbacv1.Role{
		TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"}, ObjectMeta: meta,
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"patch"}},
			{APIGroups: []string{"gateway.networking.k8s.io"}, Resources: []string{"httproutes"}, Verbs: []string{"patch"}},
		},
	}
	binding := &rbacv1.RoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"}, ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "watchdog", Namespace: pledge.Namespace}},
	}
	var made []kube.Manifest
	for _, typed := range []any{role, binding} {
		object, err := manifests.Encode(typed)
		if err != nil {
			return nil, fmt.Errorf("write the watchdog's rights in %s: %w", namespace, err)
		}
		made = append(made, kube.Manifest{File: "chaos/post", Object: object})
	}
	return made, nil
}

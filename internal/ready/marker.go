package ready

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // the marker objects
	"fmt"
	"maps"
	"strings"
	"text/template"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/kube"
)

//go:embed marker.yaml
var markerYAML string

// Namespace is where the markers live.
const Namespace = "wayproof-ready"

// markers writes objects that mean nothing but that they were written.
type markers struct {
	cluster *kube.Cluster
	owner   kube.Owner
	labels  map[string]string
}

// kinds is how many marker objects /debug/configz must show: one for each kind
// in marker.yaml that istiod keeps there, the HTTPRoute as the VirtualService
// that istiod makes of it.
var kinds = []string{"route", "virtualservice", "destinationrule", "telemetry"}

// settle makes the namespace, labelled so that istiod sees it.
func (m markers) settle(ctx context.Context) error {
	labels := maps.Clone(m.labels)
	home, err := kube.Typed("readiness markers", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace, Labels: labels}})
	if err != nil {
		return err
	}
	_, err = m.cluster.Apply(ctx, m.owner, home)
	return err
}

// write puts a fresh nonce into every marker and returns it.
func (m markers) write(ctx context.Context) (string, error) {
	nonce := newNonce()
	manifests, err := render(nonce)
	if err != nil {
		return "", err
	}
	_, err = m.cluster.Apply(ctx, m.owner, manifests)
	return nonce, err
}

// tick writes the one marker of a kind again.
func (m markers) tick(ctx context.Context, kind string) error {
	manifests, err := render(newNonce())
	if err != nil {
		return err
	}
	for _, manifest := range manifests {
		if manifest.Object.GetKind() == kind {
			_, err := m.cluster.Apply(ctx, m.owner, []kube.Manifest{manifest})
			return err
		}
	}
	return fmt.Errorf("no marker of kind %s", kind)
}

func render(nonce string) ([]kube.Manifest, error) {
	page, err := template.New("marker.yaml").Option("missingkey=error").Parse(markerYAML)
	if err != nil {
		return nil, fmt.Errorf("read readiness markers: %w", err)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, map[string]string{"Namespace": Namespace, "Nonce": nonce}); err != nil {
		return nil, fmt.Errorf("write readiness markers: %w", err)
	}
	return kube.Decode("readiness markers", &text)
}

// newNonce is unlike any other; lower case, for it becomes part of names.
func newNonce() string { return strings.ToLower(rand.Text()) }

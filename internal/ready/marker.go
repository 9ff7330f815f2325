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
	edition edition
}

// edition makes one writing of the markers unlike the one before.
type edition struct {
	nonce string // unlike any other; lower case, for it becomes part of names
	count int    // one more each time
}

func (e edition) next() edition {
	return edition{nonce: strings.ToLower(rand.Text()), count: e.count + 1}
}

// port is of the Service marker: what node proxies are told of a Service has
// no text in it, so the count is put into a number. It differs from that of the
// edition before.
func (e edition) port() int { return 1024 + e.count%60000 }

// kinds is how many marker objects /debug/configz must show: one for each kind
// in marker.yaml that istiod keeps there, the HTTPRoute as the VirtualService
// that istiod makes of it.
var kinds = []string{"route", "virtualservice", "destinationrule", "telemetry"} //nolint:gochecknoglobals // a constant list

// settle makes the namespace, labelled so that istiod sees it.
func (m *markers) settle(ctx context.Context) error {
	labels := maps.Clone(m.labels)
	home, err := kube.Typed("readiness markers", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace, Labels: labels}})
	if err != nil {
		return err
	}
	_, err = m.cluster.Apply(ctx, m.owner, home)
	return err
}

// write puts a fresh nonce into every marker and returns it.
func (m *markers) write(ctx context.Context) (string, error) {
	m.edition = m.edition.next()
	manifests, err := render(m.edition)
	if err != nil {
		return "", err
	}
	_, err = m.cluster.Apply(ctx, m.owner, manifests)
	return m.edition.nonce, err
}

// tick writes the one marker of a kind again.
func (m *markers) tick(ctx context.Context, kind string) error {
	m.edition = m.edition.next()
	manifests, err := render(m.edition)
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

func render(e edition) ([]kube.Manifest, error) {
	page, err := template.New("marker.yaml").Option("missingkey=error").Parse(markerYAML)
	if err != nil {
		return nil, fmt.Errorf("read readiness markers: %w", err)
	}
	var text bytes.Buffer
	data := map[string]any{"Namespace": Namespace, "Nonce": e.nonce, "Port": e.port()}
	if err := page.Execute(&text, data); err != nil {
		return nil, fmt.Errorf("write readiness markers: %w", err)
	}
	return kube.Decode("readiness markers", &text)
}

package ambient

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/gatewayapi"
	"github.com/wayproof/wayproof/internal/helm"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
)

// Install brings the mesh up, or completes or updates one that an earlier call
// made. It ends when every component is ready and the metrics API answers.
func Install(ctx context.Context, cluster *kube.Cluster, options Options, progress mesh.Progress) error {
	options, err := options.withDefaults()
	if err != nil {
		return fmt.Errorf("ambient options: %w", err)
	}
	i := installer{cluster: cluster, options: options, progress: progress}
	i.announce()
	for _, step := range i.steps() {
		done := progress.Step(step.name)
		err := step.work(ctx)
		done(err)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

type installer struct {
	cluster  *kube.Cluster
	options  Options
	progress mesh.Progress
}

type step struct {
	name string
	work func(context.Context) error
}

// steps in their order: the metrics server starts early, for its first figures
// take as long as everything else; ztunnel comes after istiod has published
// the root certificate that ztunnel's pods mount.
func (i installer) steps() []step {
	return []step{
		{"Gateway API definitions (" + string(i.options.Channel) + ")", i.definitions},
		{"mesh namespaces", i.namespaces},
		{"metrics-server", i.metricsServer},
		{"istio base and istiod", i.controlPlane},
		{"istio-cni and node proxy", i.dataPlane},
		{"metrics API", i.metrics},
	}
}

func (i installer) announce() {
	if i.options.StandIn != "" {
		i.progress.Note("node proxy: %s. DNS capture is off (cni.ambient.dnsCapture=false), for the stand-in has no DNS proxy", i.options.nodeProxy())
	}
	if i.options.WaypointProxy != "" {
		i.progress.Note("waypoint proxy: %s", i.options.WaypointProxy)
	}
}

func (i installer) apply(ctx context.Context, manifests []kube.Manifest, err error) error {
	if err != nil {
		return err
	}
	findings, err := i.cluster.Apply(ctx, owner(), manifests)
	for _, finding := range findings {
		i.progress.Note("%s: %s", finding.Object, finding.Text)
	}
	return err
}

func (i installer) definitions(ctx context.Context) error {
	manifests, err := gatewayapi.Definitions(i.options.Channel)
	if err := i.apply(ctx, manifests, err); err != nil {
		return withRemedy(err)
	}
	for _, manifest := range manifests {
		if manifest.Object.GetKind() != kube.KindCRD.Kind {
			continue
		}
		subject := kube.Subject{Kind: kube.KindCRD, Ref: kube.Ref{Name: manifest.Object.GetName()}}
		wait := kube.Wait{What: "to be established", Within: 30 * time.Second}
		if err := i.cluster.AwaitObject(ctx, subject, wait, established); err != nil {
			return err
		}
	}
	return nil
}

// guardPolicy is the admission policy by which Gateway API's definitions refuse some
// others in their place: the experimental channel, an older version.
const guardPolicy = "safe-upgrades.gateway.networking.k8s.io"

// withRemedy adds to that refusal what can be done about it.
func withRemedy(err error) error {
	if !strings.Contains(err.Error(), guardPolicy) {
		return err
	}
	return fmt.Errorf("%w: these definitions may not replace those that the cluster has: remove it (wayproof down), or make another (--cluster NAME)", err)
}

func established(definition *unstructured.Unstructured) (bool, string) {
	return kube.Holds(definition, "Established")
}

func (i installer) namespaces(ctx context.Context) error {
	manifests, err := i.options.namespaces()
	if err := i.apply(ctx, manifests, err); err != nil {
		return err
	}
	sources, err := i.options.sources()
	return i.apply(ctx, sources, err)
}

func (i installer) metricsServer(ctx context.Context) error {
	manifests, err := i.options.metricsServer()
	return i.apply(ctx, manifests, err)
}

func (i installer) controlPlane(ctx context.Context) error {
	if err := i.charts(ctx, "istio-base", "istiod"); err != nil {
		return err
	}
	return i.cluster.AwaitDeployment(ctx, istiod, i.options.Within)
}

func (i installer) dataPlane(ctx context.Context) error {
	if err := i.charts(ctx, "istio-cni", "ztunnel"); err != nil {
		return err
	}
	if err := i.cluster.AwaitDaemonSet(ctx, cniNode, i.options.Within); err != nil {
		return err
	}
	return i.cluster.AwaitDaemonSet(ctx, i.options.ztunnelSet(), i.options.Within)
}

// charts makes the named releases be as the options describe them.
func (i installer) charts(ctx context.Context, names ...string) error {
	releases, err := i.options.releases()
	if err != nil {
		return err
	}
	client := helm.New(i.cluster.Config(), nil)
	for _, name := range names {
		for _, release := range releases {
			if release.Name != name {
				continue
			}
			outcome, err := client.Ensure(ctx, release)
			if err != nil {
				return err
			}
			i.progress.Note("chart %s: %s", name, outcome)
		}
	}
	return nil
}

func (i installer) metrics(ctx context.Context) error {
	if err := i.cluster.AwaitDeployment(ctx, metricsDeployment, i.options.Within); err != nil {
		return err
	}
	wait := kube.Wait{What: "the metrics api to have figures", Within: i.options.Within, Every: time.Second}
	return kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		err := i.cluster.MetricsServed(ctx)
		return err == nil, "", err
	})
}

var (
	istiod            = kube.Ref{Namespace: NamespaceIstio, Name: "istiod"}
	cniNode           = kube.Ref{Namespace: NamespaceCNI, Name: "istio-cni-node"}
	metricsDeployment = kube.Ref{Namespace: "kube-system", Name: "metrics-server"}
)

func (o Options) ztunnelSet() kube.Ref {
	return kube.Ref{Namespace: o.ZtunnelNamespace, Name: "ztunnel"}
}

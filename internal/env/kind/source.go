package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/mesh"
)

// Where images come from.
const (
	SourceAuto    = "auto"
	SourcePull    = "pull"
	SourceBuild   = "build"
	SourceArchive = "archive"
)

// plan is the outcome of choosing an image source: every reference, and the
// files that the nodes get them from.
type plan struct {
	source      string
	node        string // reference of the node image
	nodeArchive string // file that the engine loads it from; empty: the engine pulls it
	nodeKey     string
	layouts     []string // image layouts whose images every node must have
	agent       string
	ambient     ambient.Options
	meshKey     string
	sources     map[string]string // image reference -> source, where it is not the plan's own
}

// sourceOf says where an image came from.
func (p plan) sourceOf(ref string) string {
	if source, ok := p.sources[ref]; ok {
		return source
	}
	return p.source
}

// resolve decides where every image comes from, making what is to be made.
func (e *Environment) resolve(ctx context.Context, progress mesh.Progress) (plan, error) {
	source := e.options.Images
	switch {
	case source == SourceArchive && e.options.Archive == "":
		return plan{}, errors.New("IMAGES=archive needs a folder: IMAGES=archive:DIR (made by: wayproof images save DIR, or holding single image archives)")
	case source == SourceArchive && !build.IsSaved(e.options.Archive):
		source = SourceAuto // single archives lie on top of whatever else is to be had
	}
	if source == "" || source == SourceAuto {
		var err error
		if source, err = e.autoSource(ctx, progress); err != nil {
			return plan{}, err
		}
	}
	// What was given is looked at before anything is made for minutes.
	if err := e.options.Mesh.CheckValues(); err != nil {
		return plan{}, err
	}
	over, err := e.overlays(ctx, source)
	if err != nil {
		return plan{}, err
	}
	made, err := e.obtain(ctx, source, progress)
	if err != nil {
		return plan{}, err
	}
	if made, err = made.override(over, progress); err != nil {
		return plan{}, err
	}
	made.ambient.Sources = made.componentSources()
	if made.ambient.Digests, err = made.componentDigests(); err != nil {
		return plan{}, err
	}
	made.meshKey, err = meshKey(made.ambient)
	return made, err
}

// obtain gets or makes everything that a source has.
func (e *Environment) obtain(ctx context.Context, source string, progress mesh.Progress) (made plan, err error) {
	switch source {
	case SourceBuild:
		made, err = e.built(ctx, progress)
	case SourcePull:
		made, err = e.pulled(ctx, progress)
	case SourceArchive:
		made, err = e.archived(ctx)
	default:
		return plan{}, fmt.Errorf("unknown image source %q: choose auto, pull, build or archive", source)
	}
	if err == nil && source == SourcePull {
		err = made.ambient.FetchCharts(ctx) // a release that does not exist needs no cluster
	}
	made.source = source
	return made, err
}

// componentSources says per component where its image comes from.
func (p plan) componentSources() map[string]string {
	sources := map[string]string{}
	for _, component := range []string{ambient.Pilot, ambient.InstallCNI, ambient.ProxyV2, ambient.Ztunnel, ambient.MetricsServer} {
		sources[component] = p.sourceOf(p.ambient.Images[component])
	}
	return sources
}

// componentDigests says per component what its image is made of, where it is
// loaded and not pulled.
func (p plan) componentDigests() (map[string]string, error) {
	held, err := p.digests()
	digests := map[string]string{}
	for component, ref := range p.ambient.Images {
		if digest, ok := held[ref]; ok {
			digests[component] = digest
		}
	}
	return digests, err
}

// meshKey digests everything that installing the mesh depends on.
func meshKey(options ambient.Options) (string, error) {
	encoded, err := json.Marshal(options)
	if err != nil {
		return "", fmt.Errorf("digest the mesh's options: %w", err)
	}
	if options.ValuesFile == "" {
		return image.Key(string(encoded)), nil
	}
	values, err := os.ReadFile(options.ValuesFile)
	if err != nil {
		return "", fmt.Errorf("read chart values: %w", err)
	}
	return image.Key(string(encoded), string(values)), nil
}

// registryWait is how long a registry may take to answer before images are
// built instead.
const registryWait = 3 * time.Second

// autoSource is where the images of a cluster that is there came from; only a
// new one is chosen for. A registry that fails for a moment replaces no cluster.
func (e *Environment) autoSource(ctx context.Context, progress mesh.Progress) (string, error) {
	known, err := readState(e.stateDir(), e.options.Cluster)
	if err != nil {
		return "", err
	}
	if known == nil || !known.Created || known.Source != SourcePull && known.Source != SourceBuild {
		return e.chooseSource(ctx, progress)
	}
	present, err := e.provider.List()
	if err != nil {
		return "", fmt.Errorf("list kind clusters: %w", err)
	}
	if !slices.Contains(present, e.options.Cluster) {
		return e.chooseSource(ctx, progress)
	}
	return known.Source, nil
}

// chooseSource asks the registry that the node image would be pulled from.
func (e *Environment) chooseSource(ctx context.Context, progress mesh.Progress) (string, error) {
	node, err := name.ParseReference(e.nodeImage())
	if err != nil {
		return "", fmt.Errorf("node image %s: %w", e.nodeImage(), err)
	}
	if registryAnswers(ctx, node.Context().Registry) {
		return SourcePull, nil
	}
	progress.Note("no image registry answers within %s: images are built from package registries (IMAGES=pull insists on a registry)", registryWait)
	return SourceBuild, nil
}

// nodeImage is the node image that is pulled.
func (e *Environment) nodeImage() string {
	if e.options.NodeImage != "" {
		return e.options.NodeImage
	}
	return defaults.Image
}

// registryAnswers says whether anything speaks the registry's protocol there;
// a demand for credentials is an answer too.
func registryAnswers(ctx context.Context, registry name.Registry) bool {
	ctx, cancel := context.WithTimeout(ctx, registryWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, registry.Scheme()+"://"+registry.RegistryStr()+"/v2/", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized
}

// built makes every image from the checkout.
func (e *Environment) built(ctx context.Context, progress mesh.Progress) (plan, error) {
	source, err := build.FindSource()
	if err != nil {
		return plan{}, err
	}
	builder := &build.Builder{Source: source, Cache: e.cache, Progress: progress}
	set, err := builder.Make(ctx)
	if err != nil {
		return plan{}, err
	}
	return plan{
		node: set.Node, nodeArchive: set.NodeArchive, nodeKey: set.NodeBase,
		layouts: []string{set.Layout, set.AgentLayout}, agent: set.Agent, ambient: e.ours(set, set.Charts),
	}, nil
}

// ours is the mesh made of images that wayproof built, now or earlier.
func (e *Environment) ours(set build.Set, charts string) ambient.Options {
	options := e.options.Mesh
	options.ChartsDir, options.Version = charts, set.IstioVersion
	options.Images = merged(set.Istio, map[string]string{ambient.MetricsServer: set.MetricsServer})
	options.StandIn, options.WaypointProxy = set.NodeProxyVersion, "upstream envoy "+set.EnvoyVersion+" + adapter"
	return options
}

// metricsServer is the released image; every cluster that is not built here
// pulls it under its ordinary name.
const metricsServer = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"

// released is the mesh made of Istio's released charts and images.
func (e *Environment) released() ambient.Options {
	options := e.options.Mesh
	options.Repository, options.Version, options.Hub = e.options.Charts, e.options.Istio, e.options.Hub
	options.ChartCache = filepath.Join(e.cache.Dir, "charts")
	options.Images = map[string]string{ambient.MetricsServer: metricsServer}
	return options
}

// pulled takes released images; only the agent is still made here, unless it
// has a reference of its own.
func (e *Environment) pulled(ctx context.Context, progress mesh.Progress) (plan, error) {
	node := e.nodeImage()
	made := plan{node: node, nodeKey: image.Key(node), agent: e.options.Agent, ambient: e.released()}
	if made.agent != "" {
		return made, nil
	}
	source, err := build.FindSource()
	if err != nil {
		return plan{}, fmt.Errorf("make the agent image (or name one with --agent-image): %w", err)
	}
	builder := &build.Builder{Source: source, Cache: e.cache, Progress: progress}
	set, err := builder.Agent(ctx)
	if err != nil {
		return plan{}, err
	}
	made.agent, made.layouts = set.Agent, []string{set.AgentLayout}
	made.sources = map[string]string{set.Agent: SourceBuild}
	return made, nil
}

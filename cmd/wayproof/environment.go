package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/env/existing"
	"github.com/wayproof/wayproof/internal/env/kind"
	"github.com/wayproof/wayproof/internal/gatewayapi"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/scene"
)

// environmentFlags are the knobs of the environment; each is also a variable,
// so that `make e2e IMAGES=build` and `--images build` say the same.
type environmentFlags struct {
	cluster, kubeconfig, config string
	images, istio, hub, charts  string
	nodeImage, agentImage       string
	ztunnelNamespace, channel   string
	values                      string
	context                     string
	keep, existing, adopt       bool
	system                      bool // faults only
}

// registerCluster adds the flags that say which cluster is meant.
func (f *environmentFlags) registerCluster(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", env("CLUSTER", kind.DefaultCluster), "name of the kind cluster (CLUSTER)")
	flags.StringVar(&f.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig that gets the cluster's entry, or that names an existing cluster (KUBECONFIG; default: kubectl's own)")
}

func (f *environmentFlags) register(cmd *cobra.Command) {
	f.registerCluster(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.existing, "existing", false, "use the cluster that the kubeconfig names; nothing is installed there")
	flags.StringVar(&f.context, "context", "", "with --existing: context of the kubeconfig (default: its current one)")
	flags.BoolVar(&f.adopt, "adopt", false, "with --existing: use the demo's namespaces although wayproof did not make them")
	flags.BoolVar(&f.keep, "keep", isSet("KEEP"), "keep what was made, also what could not be finished (KEEP)")
	flags.StringVar(&f.config, "kind-config", "", "kind configuration (default: the kind-config.yaml built in)")
	flags.StringVar(&f.images, "images", env("IMAGES", kind.SourceAuto), "where images come from: auto, pull, build, archive:DIR, or a source and single archives over it: build,archive:DIR (IMAGES)")
	flags.StringVar(&f.istio, "istio", env("ISTIO", defaultIstio), "Istio release to pull (ISTIO)")
	flags.StringVar(&f.hub, "hub", "", "where pulled Istio images come from (default: the charts' own)")
	flags.StringVar(&f.charts, "charts", "", "Helm repository of the pulled charts (default: Istio's own)")
	flags.StringVar(&f.nodeImage, "node-image", "", "node image to pull (default: kind's own)")
	flags.StringVar(&f.agentImage, "agent-image", "", "agent image that the nodes pull, instead of building it; needed with --existing (push it with: wayproof images push)")
	flags.StringVar(&f.ztunnelNamespace, "ztunnel-namespace", ambient.DefaultZtunnel, "namespace of the node proxy")
	flags.StringVar(&f.channel, "gateway-api", string(gatewayapi.Standard), "channel of the Gateway API: standard or experimental (HTTPRoute retry)")
	flags.StringVar(&f.values, "values", "", "file of extra chart values, by chart: base, istiod, cni, ztunnel")
}

// registerSystem adds the leave to break what is not the demo's.
func (f *environmentFlags) registerSystem(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.system, "system", false, "with --existing: faults may reach istiod, the node proxies and whole nodes, which others use, too")
}

// mayTouchSystem says whether faults may reach the mesh's own namespaces and nodes:
// in a cluster of our making nobody else uses them.
func (f *environmentFlags) mayTouchSystem() bool { return f.system || !f.existing }

// defaultIstio is the release that is pulled where none is named.
const defaultIstio = "1.31.4"

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// isSet reads a variable that says yes or no: any text but a plain no is a yes.
func isSet(name string) bool {
	switch strings.ToLower(os.Getenv(name)) {
	case "", "0", "false", "no":
		return false
	default:
		return true
	}
}

// environment checks the flags and makes the environment they describe.
func (f *environmentFlags) environment() (mesh.Environment, error) {
	if f.existing {
		return f.existingCluster()
	}
	return f.kindCluster()
}

func (f *environmentFlags) existingCluster() (mesh.Environment, error) {
	namespaces, err := scene.Namespaces()
	if err != nil {
		return nil, err
	}
	return existing.New(existing.Options{
		Kubeconfig: firstPath(f.kubeconfig), Context: f.context,
		AgentImage: f.agentImage, Adopt: f.adopt, Namespaces: namespaces,
	}), nil
}

func (f *environmentFlags) kindCluster() (*kind.Environment, error) {
	if f.context != "" || f.adopt {
		return nil, errors.New("--context and --adopt are about a cluster that exists: give --existing beside them")
	}
	source, archive, err := splitImages(f.images)
	if err != nil {
		return nil, err
	}
	channel, err := gatewayapi.ParseChannel(f.channel)
	if err != nil {
		return nil, err
	}
	config := wayproof.KindConfig
	if f.config != "" {
		if config, err = os.ReadFile(f.config); err != nil {
			return nil, fmt.Errorf("read --kind-config: %w", err)
		}
	}
	return kind.New(kind.Options{
		Cluster: f.cluster, Kubeconfig: firstPath(f.kubeconfig), Config: config,
		Images: source, Archive: archive, Istio: f.istio, Hub: f.hub, Charts: f.charts,
		NodeImage: f.nodeImage, Agent: f.agentImage, Keep: f.keep,
		Mesh: ambient.Options{ZtunnelNamespace: f.ztunnelNamespace, Channel: channel, ValuesFile: f.values},
	})
}

// agentOf is the agent image that the environment's nodes can run.
func agentOf(environment mesh.Environment) string {
	if imager, ok := environment.(mesh.AgentImager); ok {
		return imager.AgentImage()
	}
	return ""
}

// leave takes the environment down where that is wanted. What an existing
// cluster's environment made is on this machine only, and always goes.
func (f *environmentFlags) leave(ctx context.Context, environment mesh.Environment, down bool, lines mesh.Progress) error {
	if !f.existing && (!down || f.keep) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downWait)
	defer cancel()
	return environment.Down(ctx, lines)
}

// downWait bounds how long taking the environment down may take.
const downWait = 2 * time.Minute

// firstPath is the file of a KUBECONFIG list that kubectl writes to.
func firstPath(list string) string {
	paths := filepath.SplitList(list)
	if len(paths) == 0 {
		return ""
	}
	return paths[0]
}

// splitImages reads --images: a source, a folder of archives, or both.
func splitImages(value string) (source, archive string, err error) {
	if value == "" {
		return kind.SourceAuto, "", nil
	}
	if source, archive, err = imageParts(value); err != nil {
		return "", "", fmt.Errorf("--images %q: %w", value, err)
	}
	if source == "" {
		source = kind.SourceArchive
	}
	if archive == "" {
		return source, "", nil
	}
	if info, err := os.Stat(archive); err != nil || !info.IsDir() {
		return "", "", fmt.Errorf("--images %q: %s is no folder", value, archive)
	}
	return source, archive, nil
}

func imageParts(value string) (source, archive string, err error) {
	for part := range strings.SplitSeq(value, ",") {
		name, dir, hasDir := strings.Cut(strings.TrimSpace(part), ":")
		isFolder := name == kind.SourceArchive && dir != ""
		isSource := !hasDir && (name == kind.SourceAuto || name == kind.SourcePull || name == kind.SourceBuild)
		switch {
		case isFolder && archive != "":
			return "", "", fmt.Errorf("it names two folders, %s and %s: put the archives into one", archive, dir)
		case isFolder:
			archive = dir
		case isSource && source != "":
			return "", "", fmt.Errorf("it names two sources, %s and %s", source, name)
		case isSource:
			source = name
		default:
			return "", "", fmt.Errorf("%q is no image source; choose auto, pull, build, archive:DIR, or a source and archive:DIR with a comma between", part)
		}
	}
	return source, archive, nil
}

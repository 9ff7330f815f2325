package kind

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/wayproof/wayproof/internal/debian"
	"github.com/wayproof/wayproof/internal/engine"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
)

// What a finding is needed by, beside mesh.Everything.
const (
	forBuilding = "IMAGES=build"
	forPulling  = "IMAGES=pull"
)

// Doctor says of everything that Up needs on this machine whether it is there,
// and what to do if not. It starts nothing, and changes nothing but that a
// release's charts are cached once they were looked into.
func (e *Environment) Doctor(ctx context.Context) []mesh.Finding {
	found := append(engineFindings(ctx), machineFindings()...)
	found = append(found, e.diskFinding())
	pull, build := e.registryFindings(ctx), e.buildFindings(ctx)
	found = append(append(found, pull...), build...)
	found = append(found, e.sourceFinding(allOK(pull), allOK(build)))
	return append(found, e.clusterFinding(ctx))
}

func allOK(findings []mesh.Finding) bool {
	return !slices.ContainsFunc(findings, func(f mesh.Finding) bool { return !f.OK })
}

func well(check, needed, format string, args ...any) mesh.Finding {
	return mesh.Finding{Check: check, OK: true, Needed: needed, Detail: fmt.Sprintf(format, args...)}
}

func ill(check, needed, detail, remedy string) mesh.Finding {
	return mesh.Finding{Check: check, Needed: needed, Detail: detail, Remedy: remedy}
}

func engineFindings(ctx context.Context) []mesh.Finding {
	const check = "container engine"
	name, err := engine.Name(ctx)
	switch {
	case err == nil:
		return []mesh.Finding{well(check, mesh.Everything, "%s answers", name)}
	case debian.Supported() == nil:
		return []mesh.Finding{well(check, mesh.Everything, "none answers; up installs what is missing and starts one")}
	default:
		return []mesh.Finding{ill(check, mesh.Everything, "none answers: "+strings.ReplaceAll(err.Error(), "\n", "; "),
			"install and start Docker or Podman (on Debian or Ubuntu, root's up does so)")}
	}
}

// machineFindings are limits that a cluster can live with, because up patches
// it for them; they are shown so that nobody wonders.
func machineFindings() []mesh.Finding {
	machine, err := engine.Inspect()
	if err != nil {
		return []mesh.Finding{ill("machine", mesh.Everything, err.Error(), "use a Linux machine with /proc mounted")}
	}
	cgroups := well("control groups", mesh.Everything, "v2")
	if machine.CgroupV1 {
		cgroups.Detail = "v1: the kubelets are told to accept it"
	}
	capabilities := well("capabilities", mesh.Everything, "none withheld")
	if len(machine.Withheld) > 0 {
		capabilities.Detail = fmt.Sprintf("%v withheld: an engine that up starts drops them from containers", machine.Withheld)
	}
	if !machine.SysResource {
		capabilities.Detail += "; without CAP_SYS_RESOURCE the cluster is patched as a rootless one"
	}
	return []mesh.Finding{cgroups, capabilities}
}

// What a cold build leaves in caches, images and nodes, and what a cluster of
// ready images needs.
const (
	coldGiB = 20
	warmGiB = 6
)

func (e *Environment) diskFinding() mesh.Finding {
	const check = "disk space"
	free, place, err := image.FreeGiB(e.cache.Dir)
	if err != nil {
		return ill(check, mesh.Everything, err.Error(), "check that the cache folder can be used")
	}
	switch {
	case free < warmGiB:
		return ill(check, mesh.Everything, fmt.Sprintf("%d GiB free at %s", free, place), fmt.Sprintf("free %d GiB, or %d GiB if images have to be built", warmGiB, coldGiB))
	case free < coldGiB:
		return well(check, mesh.Everything, "%d GiB free at %s: enough for ready images; building them all takes up to %d GiB", free, place, coldGiB)
	default:
		return well(check, mesh.Everything, "%d GiB free at %s", free, place)
	}
}

// chartsWait is how long the repository of the charts may take: its index holds
// every release there was.
const chartsWait = 10 * time.Second

// registryFindings ask everything that a pull takes something from: the
// repository of the charts, and every registry that an image comes from.
func (e *Environment) registryFindings(ctx context.Context) []mesh.Finding {
	released := e.released()
	charts := "charts of istio " + released.Version
	asking, cancel := context.WithTimeout(ctx, chartsWait)
	defer cancel()
	hub, err := released.ImageHub(asking)
	if err != nil {
		return []mesh.Finding{ill(charts, forPulling, err.Error(),
			"allow their repository, name a mirror (--charts) or another release (--istio), or choose IMAGES=build or IMAGES=archive:DIR")}
	}
	found := []mesh.Finding{well(charts, forPulling, "there; images come from %s", hub)}
	registries, err := e.pulledFrom(hub)
	if err != nil {
		return append(found, ill("image references", forPulling, err.Error(), "correct --hub, --node-image or --agent-image"))
	}
	for _, registry := range registries {
		found = append(found, registryFinding(ctx, registry))
	}
	return found
}

// pulledFrom lists the registries of everything that is pulled, each once.
func (e *Environment) pulledFrom(hub string) ([]name.Registry, error) {
	refs := []string{e.nodeImage(), hub + "/pilot", metricsServer}
	if e.options.Agent != "" {
		refs = append(refs, e.options.Agent)
	}
	var registries []name.Registry
	for _, ref := range refs {
		parsed, err := name.ParseReference(ref)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", ref, err)
		}
		if registry := parsed.Context().Registry; !slices.Contains(registries, registry) {
			registries = append(registries, registry)
		}
	}
	return registries, nil
}

func registryFinding(ctx context.Context, registry name.Registry) mesh.Finding {
	check := "registry " + registry.RegistryStr()
	if registryAnswers(ctx, registry) {
		return well(check, forPulling, "answers")
	}
	return ill(check, forPulling, fmt.Sprintf("does not answer within %s", registryWait),
		"allow it, name mirrors (--hub, --node-image), or choose IMAGES=build or IMAGES=archive:DIR")
}

// buildFindings are about what IMAGES=build calls.
func (e *Environment) buildFindings(ctx context.Context) []mesh.Finding {
	found := []mesh.Finding{
		program(ctx, "go", "install Go, in the version that go.mod names", "version"),
		installable(program(ctx, "python3", "install python3 and pip", "-m", "pip", "--version")),
		installable(program(ctx, "debootstrap", "install debootstrap", "--version")),
	}
	if os.Geteuid() == 0 {
		found = append(found, well("root", forBuilding, "yes"))
	} else {
		found = append(found, ill("root", forBuilding, "no", "run as root: the nodes' root file system is made with chroot"))
	}
	source, err := build.FindSource()
	if err != nil {
		return append(found, ill("checkout", forBuilding, err.Error(), "run inside a checkout of wayproof"))
	}
	return append(found, well("checkout", forBuilding, "%s", source))
}

// program asks a program for its version.
func program(ctx context.Context, name, remedy string, args ...string) mesh.Finding {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	if err != nil {
		return ill(name, forBuilding, strings.TrimSpace(fmt.Sprintf("%v %s", err, line)), remedy)
	}
	return well(name, forBuilding, "%s", line)
}

// installable forgives what a build installs by itself on this machine.
func installable(finding mesh.Finding) mesh.Finding {
	if finding.OK || debian.Supported() != nil {
		return finding
	}
	return well(finding.Check, finding.Needed, "missing; installed when it is needed")
}

// sourceFinding says where images would come from now.
func (e *Environment) sourceFinding(pull, build bool) mesh.Finding {
	const check = "image source"
	switch source := e.options.Images; {
	case source == SourceArchive:
		return well(check, mesh.Everything, "archive %s", e.options.Archive)
	case source == SourcePull && !pull:
		return ill(check, mesh.Everything, "pull was chosen, and a registry does not answer", "see the registries above")
	case source == SourceBuild && !build:
		return ill(check, mesh.Everything, "build was chosen, and something that it needs is missing", "see what is needed by "+forBuilding+" above")
	case source == SourcePull || pull && source != SourceBuild:
		return well(check, mesh.Everything, "images are pulled")
	case build:
		return well(check, mesh.Everything, "images are built")
	default:
		return ill(check, mesh.Everything, "images can neither be pulled nor built here", "mend one of the two above, or bring them: IMAGES=archive:DIR")
	}
}

// clusterFinding is about a cluster of the name that up would use.
func (e *Environment) clusterFinding(ctx context.Context) mesh.Finding {
	check := "cluster " + e.options.Cluster
	known, err := readState(e.stateDir(), e.options.Cluster)
	switch {
	case err != nil:
		return ill(check, mesh.Everything, err.Error(), "remove "+statePath(e.stateDir(), e.options.Cluster))
	case known == nil:
		return well(check, mesh.Everything, "not there; up makes it")
	case !known.Created:
		return well(check, mesh.Everything, "half made; up replaces it")
	}
	connected, err := kube.Connect(ctx, known.Kubeconfig, e.Context())
	if err != nil {
		return well(check, mesh.Everything, "made, but does not answer (%v); up heals or replaces it", err)
	}
	return well(check, mesh.Everything, "answers at %s, Kubernetes %s", connected.Host(), connected.Version())
}

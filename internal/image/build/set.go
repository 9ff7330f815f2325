package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/wayproof/wayproof/internal/image"
)

// Set names everything that one build made.
type Set struct {
	Node          string            // reference of the node image
	NodeArchive   string            // its archive, for the engine to load
	NodeBase      string            // digest of what makes a node a node, apart from the images in it
	Istio         map[string]string // pilot, install-cni, proxyv2, ztunnel
	IstioVersion  string
	Kubernetes    string
	MetricsServer string
	Flannel       string
	Agent         string
	AgentLayout   string // OCI layout that holds the agent image
	Layout        string // OCI layout that holds every image but the agent's
	Charts        string // folder of Istio's charts
	// What is not Istio's own says its version.
	NodeProxyVersion string
	EnvoyVersion     string
	Istioctl         string // the program
}

// Make makes all of it, from the cache where inputs did not change.
func (b *Builder) Make(ctx context.Context) (Set, error) {
	in, err := b.inputs(ctx)
	if err != nil {
		return Set{}, err
	}
	set, err := b.name(ctx, in)
	if err != nil {
		return Set{}, err
	}
	if set.Layout, err = b.layout(ctx, in, set); err != nil {
		return Set{}, err
	}
	if set, err = b.node(ctx, in, set); err != nil {
		return Set{}, err
	}
	return b.agent(ctx, set)
}

// inputs makes or fetches everything that the images are put together from.
func (b *Builder) inputs(ctx context.Context) (inputs, error) {
	in, err := b.naming(ctx)
	if err != nil {
		return in, err
	}
	if in.istio, err = b.moduleDir(ctx, "images/upstream", "istio.io/istio"); err != nil {
		return in, err
	}
	return in, in.complete(ctx)
}

// naming is the part of the inputs that images are named after.
func (b *Builder) naming(ctx context.Context) (in inputs, err error) {
	if in.upstream, err = b.Upstream(ctx); err != nil {
		return in, err
	}
	for _, get := range []struct {
		into *string
		from func(context.Context) (string, error)
	}{
		{&in.root, b.Root},
		{&in.envoy, b.Envoy},
		{&in.adapter, func(ctx context.Context) (string, error) { return b.Own(ctx, "images/envoy", ".", "envoy-adapter") }},
		{&in.nodeproxy, func(ctx context.Context) (string, error) { return b.Own(ctx, "images/nodeproxy", ".", "nodeproxy") }},
		{&in.kubernetes, func(ctx context.Context) (string, error) {
			return b.upstreamVersion(ctx, "k8s.io/kubernetes")
		}},
		{&in.kind, func(ctx context.Context) (string, error) { return b.moduleVersion(ctx, ".", "sigs.k8s.io/kind") }},
	} {
		if *get.into, err = get.from(ctx); err != nil {
			return in, err
		}
	}
	in.lock = b.wheelLock()
	in.envoyVersion, err = envoyVersion(in.lock)
	return in, err
}

// complete derives what comes out of the other inputs.
func (in *inputs) complete(ctx context.Context) (err error) {
	if in.netfilter, err = in.netfilterFiles(); err != nil {
		return err
	}
	if err := in.digest(); err != nil {
		return err
	}
	if in.glibc, err = image.Closure(in.root, glibcLibraries[:]...); err != nil {
		return err
	}
	output, err := exec.CommandContext(ctx, in.upstream.path("kubeadm"), "config", "images", "list",
		"--kubernetes-version", in.kubernetes).Output()
	if err != nil {
		return fmt.Errorf("ask kubeadm for its images: %w", err)
	}
	in.kubeadm = strings.Fields(string(output))
	return nil
}

// digest identifies the programs by what they are, not by what they were made
// from: an edit that changes no program changes no image.
func (in *inputs) digest() error {
	parts := []string{in.upstream.Key, keyOf(in.envoy), tableVersion}
	for _, program := range []string{in.adapter, in.nodeproxy} {
		digest, err := image.FileDigest(program)
		if err != nil {
			return err
		}
		parts = append(parts, digest)
	}
	in.programs, in.standIn = image.Key(parts...), image.Key(parts[len(parts)-1])[:8]
	return nil
}

// glibcLibraries is what Envoy's release binary links against.
var glibcLibraries = [...]string{ //nolint:gochecknoglobals // a constant list
	"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib/x86_64-linux-gnu/libdl.so.2",
	"/lib/x86_64-linux-gnu/libpthread.so.0", "/lib/x86_64-linux-gnu/librt.so.1", "/lib64/ld-linux-x86-64.so.2",
	"/lib/x86_64-linux-gnu/libnss_dns.so.2", "/lib/x86_64-linux-gnu/libnss_files.so.2",
}

// netfilterFiles is iptables with its modules, nft, ipset and conntrack, and
// every library that any of them needs.
func (in *inputs) netfilterFiles() ([]image.File, error) {
	const modules = "/usr/lib/x86_64-linux-gnu/xtables"
	found, err := filepath.Glob(filepath.Join(in.root, modules, "*.so"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("no iptables modules below %s%s", in.root, modules)
	}
	programs := netfilterPrograms[:]
	for _, module := range found {
		programs = append(programs, filepath.Join(modules, filepath.Base(module)))
	}
	files, err := image.Closure(in.root, programs...)
	return append(files, image.File{Path: "/run", Dir: true, Mode: 0o755}), err
}

// name gives every image its reference. Istio's share one tag, because istiod
// derives the waypoint's image from its own; it says what they are made of.
func (b *Builder) name(ctx context.Context, in inputs) (Set, error) {
	version, err := b.upstreamVersion(ctx, "istio.io/istio")
	if err != nil {
		return Set{}, err
	}
	metrics, err := b.upstreamVersion(ctx, "sigs.k8s.io/metrics-server")
	if err != nil {
		return Set{}, err
	}
	short := istioVersion(version)
	tag := short + "-" + in.programs[:8]
	set := Set{
		Kubernetes: in.kubernetes, IstioVersion: short, Istio: map[string]string{},
		MetricsServer:    Hub + "/metrics-server:" + metrics,
		Flannel:          Hub + "/flanneld:" + in.upstream.Key[:8],
		NodeProxyVersion: in.standIn, EnvoyVersion: in.envoyVersion,
		Charts:   filepath.Join(in.istio, "manifests", "charts"),
		Istioctl: in.upstream.path("istioctl"),
	}
	for _, name := range istioImages {
		set.Istio[name] = Hub + "/istio/" + name + ":" + tag
	}
	return set, nil
}

// istioImages are Istio's own, in the order in which they are listed.
var istioImages = [...]string{"pilot", "install-cni", "proxyv2", "ztunnel"} //nolint:gochecknoglobals // a constant list

// tableVersion changes whenever the way images are put together does.
const tableVersion = "4"

// istioVersion shortens the pseudo-version of Istio's module to a tag.
func istioVersion(pseudo string) string {
	return "1.31-dev-" + pseudo[strings.LastIndex(pseudo, "-")+1:][:8]
}

// layout writes every image but the agent's into one OCI layout, where what
// they share lies once.
func (b *Builder) layout(ctx context.Context, in inputs, set Set) (string, error) {
	key := image.Key(set.Istio["pilot"], set.Flannel, set.MetricsServer, keyOf(in.root), in.kind, tableVersion)
	return b.Cache.Ensure(ctx, "layout", key, func(ctx context.Context, dir string) error {
		return b.step("assemble images", func() error {
			pause, err := b.sandboxImage(ctx)
			if err != nil {
				return err
			}
			specs, err := in.controlPlane(pause)
			if err != nil {
				return err
			}
			specs = append(append(specs, in.addOns(set)...), in.istioSpecs(set)...)
			return image.WriteLayout(dir, specs)
		})
	})
}

var sandboxLine = regexp.MustCompile(`(?m)^\s*sandbox_image\s*=\s*"([^"]+)"`)

// sandboxImage is the pause image that kind's containerd configuration names.
func (b *Builder) sandboxImage(ctx context.Context) (string, error) {
	kind, err := b.moduleDir(ctx, ".", "sigs.k8s.io/kind")
	if err != nil {
		return "", err
	}
	config := filepath.Join(kind, "images/base/files/etc/containerd/config.toml")
	content, err := os.ReadFile(config)
	if err != nil {
		return "", fmt.Errorf("read kind's containerd configuration: %w", err)
	}
	found := sandboxLine.FindSubmatch(content)
	if found == nil {
		return "", fmt.Errorf("no sandbox_image in %s", config)
	}
	return string(found[1]), nil
}

// Agent makes only the image of the one program that runs in pods. It is apart
// from the others because it changes most and is loaded, not baked in.
func (b *Builder) Agent(ctx context.Context) (Set, error) {
	return b.agent(ctx, Set{})
}

func (b *Builder) agent(ctx context.Context, set Set) (Set, error) {
	program, err := b.Own(ctx, ".", "./cmd/agent", "agent")
	if err != nil {
		return set, err
	}
	digest, err := image.FileDigest(program)
	if err != nil {
		return set, err
	}
	set.Agent = Hub + "/agent:" + image.Key(digest, tableVersion)[:12]
	set.AgentLayout, err = b.Cache.Ensure(ctx, "layout", image.Key(set.Agent, tableVersion), func(_ context.Context, dir string) error {
		return image.WriteLayout(dir, []image.Spec{{
			Ref: set.Agent, Entrypoint: []string{"/agent"}, Cmd: []string{"travel"}, User: "65532:65532", Env: []string{programPath},
			Files: append(names(), image.File{Path: "/agent", From: program, Mode: 0o755}),
		}})
	})
	return set, err
}

package build

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/wayproof/wayproof/internal/image"
)

// Hub is where the images that only wayproof makes pretend to live. The name
// is reserved for local use, so no node can pull a stranger's image by it.
const Hub = "wayproof.local"

// programPath is the search path of every image, as its manifests expect.
const programPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/cni/bin"

// netfilterPrograms is what kube-proxy, flannel and istio-cni call to write
// packet rules.
var netfilterPrograms = [...]string{ //nolint:gochecknoglobals // a constant list
	"/usr/sbin/iptables", "/usr/sbin/iptables-save", "/usr/sbin/iptables-restore",
	"/usr/sbin/ip6tables", "/usr/sbin/ip6tables-save", "/usr/sbin/ip6tables-restore",
	"/usr/sbin/iptables-nft", "/usr/sbin/iptables-nft-save", "/usr/sbin/iptables-nft-restore",
	"/usr/sbin/ip6tables-nft", "/usr/sbin/ip6tables-nft-save", "/usr/sbin/ip6tables-nft-restore",
	"/usr/sbin/iptables-legacy", "/usr/sbin/iptables-legacy-save", "/usr/sbin/iptables-legacy-restore",
	"/usr/sbin/ip6tables-legacy", "/usr/sbin/ip6tables-legacy-save", "/usr/sbin/ip6tables-legacy-restore",
	"/usr/sbin/nft", "/usr/sbin/ipset", "/usr/sbin/conntrack",
}

// inputs is everything that images are put together from.
type inputs struct {
	upstream     Binaries
	root         string // the node's root, a folder
	istio        string // the Istio module's folder
	envoy        string // the program
	adapter      string
	lock         string // the wheel's pin
	envoyVersion string
	programs     string // digest of every program in Istio's images
	standIn      string // version of the stand-in
	nodeproxy    string
	netfilter    []image.File
	glibc        []image.File
	kubernetes   string   // version
	kind         string   // version; its files are a node's, and name the pause image
	kubeadm      []string // references that kubeadm names
}

// keyOf is the key of the cache's folder that a file lies in. Keys are made of
// keys, not of paths: where the cache lies changes no image.
func keyOf(path string) string { return filepath.Base(filepath.Dir(path)) }

// minimal is what an upstream image carries beside its program: the names
// below, and the roots that TLS clients trust.
func (in inputs) minimal() []image.File {
	roots := image.File{Path: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644, From: path.Join(in.root, "etc/ssl/certs/ca-certificates.crt")}
	return append(names(), roots)
}

// names is a place for temporary files and names for user ids.
func names() []image.File {
	return []image.File{
		{Path: "/tmp", Dir: true, Mode: 0o1777},
		{Path: "/etc/passwd", Mode: 0o644, Body: []byte("root:x:0:0:root:/:/sbin/nologin\nistio-proxy:x:1337:1337::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n")},
		{Path: "/etc/group", Mode: 0o644, Body: []byte("root:x:0:\nistio-proxy:x:1337:\nnonroot:x:65532:\n")},
		{Path: "/etc/nsswitch.conf", Mode: 0o644, Body: []byte("hosts: files dns\n")},
	}
}

// spec is an image of one upstream program at a path, started without a shell.
func (in inputs) spec(ref, binary, at string, more ...image.File) image.Spec {
	files := append(in.minimal(), image.File{Path: at, From: in.upstream.path(binary), Mode: 0o755})
	return image.Spec{Ref: ref, Files: append(files, more...), Entrypoint: []string{at}, Env: []string{programPath}}
}

// controlPlane lists the images that kubeadm starts, under the names it gives
// them, and the pause image that kind's containerd configuration names.
func (in inputs) controlPlane(pause string) ([]image.Spec, error) {
	specs := []image.Spec{in.spec(pause, "pause", "/pause")}
	for _, ref := range in.kubeadm {
		if ref == pause {
			continue
		}
		spec, err := in.kubeadmSpec(ref)
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

func (in inputs) kubeadmSpec(ref string) (image.Spec, error) {
	name, _, _ := strings.Cut(path.Base(ref), ":")
	switch name {
	case "kube-apiserver", "kube-controller-manager", "kube-scheduler":
		return withoutEntrypoint(in.spec(ref, name, "/usr/local/bin/"+name)), nil
	case "kube-proxy":
		return withoutEntrypoint(in.spec(ref, name, "/usr/local/bin/kube-proxy", in.netfilter...)), nil
	case "etcd":
		etcdctl := image.File{Path: "/usr/local/bin/etcdctl", From: in.upstream.path("etcdctl"), Mode: 0o755}
		return withoutEntrypoint(in.spec(ref, "server", "/usr/local/bin/etcd", etcdctl)), nil
	case "coredns":
		return in.spec(ref, "coredns", "/coredns"), nil
	case "pause":
		return in.spec(ref, "pause", "/pause"), nil
	default:
		return image.Spec{}, fmt.Errorf("kubeadm wants image %s, which wayproof does not know how to make", ref)
	}
}

// withoutEntrypoint is for images whose manifests give the whole command.
func withoutEntrypoint(spec image.Spec) image.Spec {
	spec.Entrypoint = nil
	return spec
}

// addOns are metrics-server and the daemon that keeps the pod routes.
func (in inputs) addOns(set Set) []image.Spec {
	metrics := in.spec(set.MetricsServer, "metrics-server", "/metrics-server")
	metrics.User = "65532"
	return []image.Spec{metrics, in.spec(set.Flannel, "flanneld", "/usr/local/bin/flanneld", in.netfilter...)}
}

// istioSpecs are Istio's own images, and the stand-in for ztunnel.
func (in inputs) istioSpecs(set Set) []image.Spec {
	pilot := in.spec(set.Istio["pilot"], "pilot-discovery", "/usr/local/bin/pilot-discovery")
	pilot.User = "1337:1337"
	cni := in.spec(set.Istio["install-cni"], "install-cni", "/usr/local/bin/install-cni",
		append(in.netfilter, image.File{Path: "/opt/cni/bin/istio-cni", From: in.upstream.path("istio-cni"), Mode: 0o755})...)
	cni.WorkDir = "/opt/cni/bin"
	return []image.Spec{pilot, cni, in.proxy(set.Istio["proxyv2"]), in.ztunnel(set.Istio["ztunnel"])}
}

// proxy is the waypoint's image: pilot-agent, and upstream Envoy behind the
// adapter that takes Envoy's name.
func (in inputs) proxy(ref string) image.Spec {
	bootstrap := path.Join(in.istio, "tools/packaging/common/envoy_bootstrap.json")
	return in.spec(ref, "pilot-agent", "/usr/local/bin/pilot-agent", append(in.glibc,
		image.File{Path: "/usr/local/bin/envoy", From: in.adapter, Mode: 0o755},
		image.File{Path: "/usr/local/bin/envoy-upstream", From: in.envoy, Mode: 0o755},
		image.File{Path: "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", From: bootstrap, Mode: 0o644},
	)...)
}

func (in inputs) ztunnel(ref string) image.Spec {
	files := append(in.minimal(), image.File{Path: "/usr/local/bin/ztunnel", From: in.nodeproxy, Mode: 0o755})
	return image.Spec{Ref: ref, Files: files, Entrypoint: []string{"/usr/local/bin/ztunnel"}, Env: []string{programPath}}
}

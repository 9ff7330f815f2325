package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/wayproof/wayproof/internal/image"
)

// node makes the image of a kind node: the Debian root, the programs of a
// node with kind's own files, and containerd's store with every other image
// already in it, so that nothing is loaded per node.
func (b *Builder) node(ctx context.Context, in inputs, set Set) (Set, error) {
	containerd, err := b.Containerd(ctx)
	if err != nil {
		return set, err
	}
	manifest, err := os.ReadFile(filepath.Join(b.Source, "images", "node", "default-cni.yaml"))
	if err != nil {
		return set, fmt.Errorf("read the pod network's manifest: %w", err)
	}
	base := []string{keyOf(in.root), in.kind, containerd.Key, string(manifest), tableVersion}
	key := image.Key(append(base, filepath.Base(set.Layout))...)
	set.NodeBase = image.Key(append(base, in.upstream.Key)...)
	set.Node = Hub + "/node:" + set.Kubernetes + "-" + key[:8]
	dir, err := b.Cache.Ensure(ctx, "node", key, func(ctx context.Context, dir string) error {
		return b.step("assemble the node image", func() error {
			network := strings.ReplaceAll(string(manifest), "FLANNEL_IMAGE", set.Flannel)
			return b.assembleNode(ctx, in, nodeParts{dir: dir, containerd: containerd, network: network, set: set})
		})
	})
	set.NodeArchive = filepath.Join(dir, "node.tar")
	return set, err
}

// nodeParts is what distinguishes one node image from another.
type nodeParts struct {
	dir        string
	containerd Binaries
	network    string
	set        Set
}

func (b *Builder) assembleNode(ctx context.Context, in inputs, parts nodeParts) error {
	root, err := image.Plain(func() (io.ReadCloser, error) { return os.Open(in.root + ".tar") })
	if err != nil {
		return err
	}
	files, err := b.nodeFiles(ctx, in, parts)
	if err != nil {
		return err
	}
	programs, err := image.Plain(image.Tar(files))
	if err != nil {
		return err
	}
	store := filepath.Join(parts.dir, "store.tar")
	if err := preload(ctx, parts.containerd, parts.set.Layout, store); err != nil {
		return err
	}
	images, err := image.Plain(func() (io.ReadCloser, error) { return os.Open(store) })
	if err != nil {
		return err
	}
	made, err := image.Assemble(image.Spec{
		Ref: parts.set.Node, Entrypoint: []string{"/usr/local/bin/entrypoint", "/sbin/init"},
		Env: []string{"container=docker", programPath}, StopSignal: "SIGRTMIN+3",
	}, root, programs, images)
	if err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(parts.dir, "node.tar"))
	if err != nil {
		return fmt.Errorf("write the node image: %w", err)
	}
	defer archive.Close()
	if err := image.WriteDockerArchive(archive, parts.set.Node, made); err != nil {
		return err
	}
	return os.Remove(store)
}

// nodePrograms says where a node keeps its programs.
func (in inputs) nodePrograms(containerd Binaries) []image.File {
	var files []image.File
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		files = append(files, image.File{Path: "/usr/local/bin/" + name, From: containerd.path(name), Mode: 0o755})
	}
	for _, name := range []string{"kubeadm", "kubelet", "kubectl"} {
		files = append(files, image.File{Path: "/usr/bin/" + name, From: in.upstream.path(name), Mode: 0o755})
	}
	for _, name := range []string{"host-local", "loopback", "ptp", "portmap"} {
		files = append(files, image.File{Path: "/opt/cni/bin/" + name, From: in.upstream.path(name), Mode: 0o755})
	}
	return files
}

func (b *Builder) nodeFiles(ctx context.Context, in inputs, parts nodeParts) ([]image.File, error) {
	kind, err := b.moduleDir(ctx, ".", "sigs.k8s.io/kind")
	if err != nil {
		return nil, err
	}
	files, err := kindFiles(filepath.Join(kind, "images", "base", "files"))
	if err != nil {
		return nil, err
	}
	spec, err := containerSpec(ctx, parts.containerd)
	if err != nil {
		return nil, err
	}
	files = append(files, in.nodePrograms(parts.containerd)...)
	return append(files,
		image.File{Path: "/etc/containerd/cri-base.json", Body: spec, Mode: 0o644},
		image.File{Path: "/kind/version", Body: []byte(in.kubernetes), Mode: 0o644},
		image.File{Path: "/kind/manifests/default-cni.yaml", Body: []byte(parts.network), Mode: 0o644},
		enabled("multi-user.target.wants/kubelet.service", "/etc/systemd/system/kubelet.service"),
		enabled("multi-user.target.wants/containerd.service", "/etc/systemd/system/containerd.service"),
		enabled("multi-user.target.wants/undo-mount-hacks.service", "/etc/systemd/system/undo-mount-hacks.service"),
		enabled("systemd-binfmt.service", "/dev/null"),
	), nil
}

// enabled is what systemctl enable or mask would have made.
func enabled(unit, target string) image.File {
	return image.File{Path: "/etc/systemd/system/" + unit, Link: target}
}

// containerSpec is the base of every container on a node: containerd's default
// with kind's product hook and without limits of its own.
func containerSpec(ctx context.Context, containerd Binaries) ([]byte, error) {
	output, err := exec.CommandContext(ctx, containerd.path("ctr"), "oci", "spec").Output()
	if err != nil {
		return nil, fmt.Errorf("ask ctr for the default container: %w", err)
	}
	return withProductHook(output)
}

package build

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binaries is a folder of compiled programs and the digest of their sources.
type Binaries struct {
	Dir string
	Key string
}

func (b Binaries) path(name string) string { return filepath.Join(b.Dir, name) }

// compileGiB is what compiling the bill of materials and assembling the images
// takes at the least.
const compileGiB = 8

// Upstream compiles the bill of materials: Kubernetes, etcd, CoreDNS, the CNI
// plugins, flannel, Istio and metrics-server in one module, so that what they
// share is compiled once.
func (b *Builder) Upstream(ctx context.Context) (Binaries, error) {
	return b.binaries(ctx, "images/upstream", "Kubernetes, Istio and friends", func(ctx context.Context) ([]string, error) {
		if err := b.Cache.Room(compileGiB); err != nil {
			return nil, err
		}
		version, err := b.upstreamVersion(ctx, "k8s.io/kubernetes")
		if err != nil {
			return nil, err
		}
		istio, err := b.upstreamVersion(ctx, "istio.io/istio")
		if err != nil {
			return nil, err
		}
		return []string{"-ldflags", kubernetesStamp(version) + istioStamp(istio), "tool", "./coredns", "./flanneld", "./pause"}, nil
	})
}

// Containerd compiles containerd, its shim and its client; they need newer
// interfaces than Kubernetes and so have a module of their own.
func (b *Builder) Containerd(ctx context.Context) (Binaries, error) {
	return b.binaries(ctx, "images/containerd", "containerd", func(context.Context) ([]string, error) {
		return []string{"-ldflags", "-s -w", "-tags", "no_btrfs no_devmapper no_zfs", "tool"}, nil
	})
}

// binaries compiles a module into the cache; arguments says what to build.
func (b *Builder) binaries(ctx context.Context, module, title string, arguments func(context.Context) ([]string, error)) (Binaries, error) {
	key, err := b.sourceKey(module)
	if err != nil {
		return Binaries{}, err
	}
	dir, err := b.Cache.Ensure(ctx, "bin", key, func(ctx context.Context, dir string) error {
		return b.step("compile "+title, func() error {
			args, err := arguments(ctx)
			if err != nil {
				return err
			}
			return b.goBuild(ctx, module, dir+"/", args...)
		})
	})
	return Binaries{Dir: dir, Key: key}, err
}

// kubernetesStamp is the version that Kubernetes' programs report; kubeadm
// refuses to work without one.
func kubernetesStamp(version string) string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	stamp := []string{"-s -w"}
	for _, pair := range [][2]string{
		{"gitVersion", version},
		{"gitMajor", major},
		{"gitMinor", minor},
		{"gitTreeState", "clean"},
		{"gitCommit", "unknown"},
		{"buildDate", "1970-01-01T00:00:00Z"},
	} {
		stamp = append(stamp, fmt.Sprintf("-X k8s.io/component-base/version.%s=%s", pair[0], pair[1]))
	}
	return strings.Join(stamp, " ")
}

// istioStamp is the version that Istio's programs report.
func istioStamp(pseudo string) string {
	const pkg = " -X istio.io/istio/pkg/version."
	version := istioVersion(pseudo)
	return pkg + "buildVersion=" + version + pkg + "buildTag=" + version + pkg + "buildStatus=Clean" +
		pkg + "buildGitRevision=" + pseudo[strings.LastIndex(pseudo, "-")+1:]
}

// Own compiles a program of ours, keyed by the sources it may be made from.
func (b *Builder) Own(ctx context.Context, module, pkg, name string) (string, error) {
	sources, err := b.ownSources(ctx, module, pkg)
	if err != nil {
		return "", err
	}
	key, err := b.sourceKey(sources...)
	if err != nil {
		return "", err
	}
	dir, err := b.Cache.Ensure(ctx, "own", key+"-"+name, func(ctx context.Context, dir string) error {
		return b.step("compile "+name, func() error {
			return b.goBuild(ctx, module, filepath.Join(dir, name), "-ldflags", "-s -w", pkg)
		})
	})
	return filepath.Join(dir, name), err
}

// ownSources is what a program of ours is made from. A module under images/ is
// one program; of the root module it is the files that the compiler reads.
func (b *Builder) ownSources(ctx context.Context, module, pkg string) ([]string, error) {
	if module != "." {
		return []string{module}, nil
	}
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", compiledFiles, pkg)
	list.Dir = b.Source
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the sources of %s: %w", pkg, err)
	}
	sources := []string{"go.mod", "go.sum"}
	for file := range strings.FieldsSeq(string(output)) {
		relative, err := filepath.Rel(b.Source, file)
		if err != nil {
			return nil, fmt.Errorf("list the sources of %s: %w", pkg, err)
		}
		sources = append(sources, relative)
	}
	return sources, nil
}

// compiledFiles prints, of a package in this checkout, the files that become
// part of the program.
const compiledFiles = `{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.Dir}}/{{.}} {{end}}{{range $.EmbedFiles}}{{$.Dir}}/{{.}} {{end}}{{end}}{{end}}`

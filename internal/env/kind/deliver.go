package kind

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/engine"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/mesh"
)

// Load gives the nodes of a running cluster of ours images, and the engine the
// node image where there is one: from folders that `images save` wrote and
// single archives, or if none is named, what the checkout makes.
func (e *Environment) Load(ctx context.Context, paths []string, progress mesh.Progress) error {
	return e.deliver(ctx, progress, func() (plan, error) { return e.cargo(ctx, paths, progress) })
}

// LoadHarness makes the image of the command line from the checkout, gives it to
// the nodes of a running cluster of ours, and says what it is called there.
func (e *Environment) LoadHarness(ctx context.Context, progress mesh.Progress) (string, error) {
	source, err := build.FindSource()
	if err != nil {
		return "", err
	}
	builder := &build.Builder{Source: source, Cache: e.cache, Progress: progress}
	harness, err := builder.Harness(ctx)
	if err != nil {
		return "", err
	}
	return harness.Ref, e.deliver(ctx, progress, func() (plan, error) { return plan{layouts: []string{harness.Layout}}, nil })
}

// LoadEcho does the same with the image of Istio's echo, which Gateway API's
// conformance suite calls and is called by.
func (e *Environment) LoadEcho(ctx context.Context, progress mesh.Progress) (string, error) {
	source, err := build.FindSource()
	if err != nil {
		return "", err
	}
	builder := &build.Builder{Source: source, Cache: e.cache, Progress: progress}
	echo, err := builder.Echo(ctx)
	if err != nil {
		return "", err
	}
	return echo.Ref, e.deliver(ctx, progress, func() (plan, error) { return plan{layouts: []string{echo.Layout}}, nil })
}

// deliver gives the nodes what a plan names.
func (e *Environment) deliver(ctx context.Context, progress mesh.Progress, planned func() (plan, error)) error {
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := readState(e.stateDir(), e.options.Cluster)
	if err != nil {
		return err
	}
	if known == nil {
		return fmt.Errorf("load images: no cluster %s of wayproof's making is up: run wayproof up first", e.options.Cluster)
	}
	name, err := engine.Name(ctx)
	if err != nil {
		return fmt.Errorf("load images into cluster %s: %w", e.options.Cluster, err)
	}
	e.use(name, progress)
	if e.plan, err = planned(); err != nil {
		return err
	}
	if err := e.loadNode(ctx, progress); err != nil {
		return err
	}
	return e.loadImages(ctx, progress)
}

// cargo is a plan of what is to be loaded and nothing else.
func (e *Environment) cargo(ctx context.Context, paths []string, progress mesh.Progress) (plan, error) {
	if len(paths) == 0 {
		return e.everything(ctx, progress)
	}
	var made plan
	for _, path := range paths {
		archive := path
		if build.IsSaved(path) {
			saved, err := build.OpenSaved(path)
			if err != nil {
				return made, err
			}
			archive, made.node, made.nodeArchive = filepath.Join(path, build.SavedImages), saved.Node, filepath.Join(path, build.SavedNode)
		}
		dir, err := image.Unpack(ctx, e.cache, archive)
		if err != nil {
			return made, err
		}
		made.layouts = append(made.layouts, dir)
	}
	return made, nil
}

// everything is what the checkout makes, with the image of the command line,
// which up leaves out.
func (e *Environment) everything(ctx context.Context, progress mesh.Progress) (plan, error) {
	made, err := e.built(ctx, progress)
	if err != nil {
		return plan{}, err
	}
	source, err := build.FindSource()
	if err != nil {
		return plan{}, err
	}
	builder := &build.Builder{Source: source, Cache: e.cache, Progress: progress}
	harness, err := builder.Harness(ctx)
	made.layouts = append(made.layouts, harness.Layout)
	return made, err
}

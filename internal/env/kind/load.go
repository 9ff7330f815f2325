package kind

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/kind/pkg/cluster/nodes"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/mesh"
)

// loadNode gives the engine the node image, if it is not there already.
func (e *Environment) loadNode(ctx context.Context, progress mesh.Progress) error {
	if e.plan.nodeArchive == "" || e.hasImage(ctx, e.plan.node) {
		return nil
	}
	done := progress.Step("give the engine the node image")
	_, err := e.command(ctx, "load", "-q", "-i", e.plan.nodeArchive)
	done(err)
	return err
}

// loadImages gives each node the images that it lacks.
func (e *Environment) loadImages(ctx context.Context, progress mesh.Progress) error {
	members, err := e.provider.ListInternalNodes(e.options.Cluster)
	if err != nil {
		return fmt.Errorf("list nodes of %s: %w", e.options.Cluster, err)
	}
	for _, layout := range e.plan.layouts {
		refs, err := image.Refs(layout)
		if err != nil {
			return err
		}
		lacking, err := e.lacking(ctx, members, refs)
		if err != nil {
			return err
		}
		if len(lacking) == 0 {
			continue
		}
		done := progress.Step(fmt.Sprintf("load %d images into %d nodes", len(refs), len(lacking)))
		err = e.loadInto(ctx, lacking, layout)
		done(err)
		if err != nil {
			return err
		}
	}
	return nil
}

// lacking lists the nodes that miss one of refs.
func (e *Environment) lacking(ctx context.Context, members []nodes.Node, refs []string) ([]nodes.Node, error) {
	var lacking []nodes.Node
	for _, node := range members {
		output, err := e.command(ctx, "exec", node.String(), "ctr", "--namespace=k8s.io", "images", "ls", "-q")
		if err != nil {
			return nil, fmt.Errorf("list images of node %s: %w", node, err)
		}
		present := strings.Fields(output)
		if slices.ContainsFunc(refs, func(ref string) bool { return !slices.Contains(present, ref) }) {
			lacking = append(lacking, node)
		}
	}
	return lacking, nil
}

func (e *Environment) loadInto(ctx context.Context, members []nodes.Node, layout string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, node := range members {
		group.Go(func() error { return e.importLayout(ctx, node.String(), layout) })
	}
	return group.Wait()
}

func (e *Environment) importLayout(ctx context.Context, node, layout string) error {
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(image.TarFolder(writer, layout)) }()
	cmd := exec.CommandContext(ctx, e.engine, "exec", "-i", node, "ctr", "--namespace=k8s.io",
		"images", "import", "--all-platforms", "--digests", "--no-unpack", "-")
	cmd.Stdin = reader
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load images into node %s: %w: %s", node, err, strings.TrimSpace(string(output)))
	}
	return nil
}

package kind

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os/exec"
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
	wanted, err := e.plan.digests()
	if err != nil {
		return err
	}
	for _, layout := range e.plan.layouts {
		held, err := image.Digests(layout)
		if err != nil {
			return err
		}
		lacking, err := e.lacking(ctx, members, effective(held, wanted))
		if err != nil {
			return err
		}
		if len(lacking) == 0 {
			continue
		}
		done := progress.Step(fmt.Sprintf("load %d images into %d nodes", len(held), len(lacking)))
		err = e.loadInto(ctx, lacking, layout)
		done(err)
		if err != nil {
			return err
		}
	}
	return nil
}

// digests says what each image of the plan is made of. Of two layouts with the
// same reference the later one counts, as on the nodes.
func (p plan) digests() (map[string]string, error) {
	all := map[string]string{}
	for _, layout := range p.layouts {
		held, err := image.Digests(layout)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, held)
	}
	return all, nil
}

// effective leaves of a layout's images those that no later layout replaces.
func effective(held, wanted map[string]string) map[string]string {
	left := map[string]string{}
	for ref, digest := range held {
		if wanted[ref] == digest {
			left[ref] = digest
		}
	}
	return left
}

// lacking lists the nodes that miss one of the images, or have another one of
// its name.
func (e *Environment) lacking(ctx context.Context, members []nodes.Node, images map[string]string) ([]nodes.Node, error) {
	var lacking []nodes.Node
	for _, node := range members {
		output, err := e.command(ctx, "exec", node.String(), "ctr", "--namespace=k8s.io", "images", "ls")
		if err != nil {
			return nil, fmt.Errorf("list images of node %s: %w", node, err)
		}
		present := listed(output)
		for ref, digest := range images {
			if present[ref] != digest {
				lacking = append(lacking, node)
				break
			}
		}
	}
	return lacking, nil
}

// listed reads containerd's table of images: reference, type, digest and more.
func listed(table string) map[string]string {
	present := map[string]string{}
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 2 {
			present[fields[0]] = fields[2]
		}
	}
	return present
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

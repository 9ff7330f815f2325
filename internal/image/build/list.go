package build

import (
	"context"
	"os"
	"slices"

	"github.com/wayproof/wayproof/internal/image"
)

// Listed is an image that the checkout makes, and whether it lies in the cache
// as it would be made now.
type Listed struct {
	Ref    string
	Cached bool
}

// List names what Make would make, without making or fetching any of it.
func (b *Builder) List(ctx context.Context) ([]Listed, error) {
	look := &Builder{Source: b.Source, Cache: &image.Cache{Dir: b.Cache.Dir, Look: true}, Progress: b.Progress}
	in, err := look.naming(ctx)
	if err != nil {
		return nil, err
	}
	if !isThere(in.adapter) || !isThere(in.nodeproxy) {
		return unnamed(), nil // what they are named after is not there yet
	}
	if err := in.digest(); err != nil {
		return nil, err
	}
	set, err := look.name(ctx, in)
	if err != nil {
		return nil, err
	}
	if set.Layout, err = look.layout(ctx, in, set); err != nil {
		return nil, err
	}
	if set, err = look.node(ctx, in, set); err != nil {
		return nil, err
	}
	baked, err := set.baked()
	if err != nil {
		return nil, err
	}
	agent, err := look.listAgent(ctx)
	if err != nil {
		return nil, err
	}
	harness, err := look.listHarness(ctx)
	node := Listed{Ref: set.Node, Cached: isThere(set.NodeArchive)}
	return slices.Concat([]Listed{node}, baked, []Listed{agent, harness}), err
}

// unnamed are the images of a checkout of which nothing has been made.
func unnamed() []Listed {
	refs := []string{Hub + "/node", Hub + "/metrics-server", Hub + "/flanneld", Hub + "/agent", Hub + "/wayproof"}
	for _, name := range istioImages {
		refs = append(refs, Hub+"/istio/"+name)
	}
	return listAll(refs, false)
}

// baked lists the images of the layout; those that kubeadm names are known
// only once kubeadm has been compiled.
func (s Set) baked() ([]Listed, error) {
	if isThere(s.Layout) {
		refs, err := image.Refs(s.Layout)
		return listAll(refs, true), err
	}
	refs := []string{s.MetricsServer, s.Flannel}
	for _, name := range istioImages {
		refs = append(refs, s.Istio[name])
	}
	return listAll(refs, false), nil
}

func listAll(refs []string, cached bool) []Listed {
	var listed []Listed
	for _, ref := range refs {
		listed = append(listed, Listed{Ref: ref, Cached: cached})
	}
	return listed
}

// listAgent names the agent's image, whose tag digests the compiled program.
func (b *Builder) listAgent(ctx context.Context) (Listed, error) {
	program, err := b.Own(ctx, ".", "./cmd/agent", "agent")
	if err != nil {
		return Listed{}, err
	}
	if !isThere(program) {
		return Listed{Ref: Hub + "/agent"}, nil
	}
	set, err := b.agent(ctx, Set{})
	return Listed{Ref: set.Agent, Cached: isThere(set.AgentLayout)}, err
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

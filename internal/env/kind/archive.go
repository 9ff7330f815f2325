package kind

import (
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/mesh"
)

// standInPrefix is what a ztunnel image of our own making is called in the hub
// that only wayproof uses: an archive of it is still the stand-in.
const standInPrefix = build.Hub + "/"

// overlay is an archive whose images take the place of others.
type overlay struct{ archive, layout string }

// overlays unpacks and checks the single archives that lie over a source.
func (e *Environment) overlays(ctx context.Context, source string) ([]overlay, error) {
	if e.options.Archive == "" {
		return nil, nil
	}
	archives, err := single(e.options.Archive)
	if err != nil {
		return nil, err
	}
	if len(archives) == 0 && source != SourceArchive {
		return nil, fmt.Errorf("no image archive (*.tar) in %s: save one there, for example with docker save -o ztunnel.tar REFERENCE", e.options.Archive)
	}
	var found []overlay
	for _, archive := range archives {
		dir, err := image.Unpack(ctx, e.cache, archive)
		if err != nil {
			return nil, err
		}
		found = append(found, overlay{archive: archive, layout: dir})
	}
	return found, nil
}

// single lists the archives of single components in a folder: all but the two
// that hold a whole saved set, where the folder is one.
func single(dir string) ([]string, error) {
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil {
		return nil, fmt.Errorf("list archives in %s: %w", dir, err)
	}
	if !build.IsSaved(dir) {
		return archives, nil
	}
	return slices.DeleteFunc(archives, func(archive string) bool {
		return filepath.Base(archive) == build.SavedNode || filepath.Base(archive) == build.SavedImages
	}), nil
}

// override lets every overlay replace the component that its image is named
// after.
func (p plan) override(over []overlay, progress mesh.Progress) (plan, error) {
	for _, each := range over {
		var err error
		if p, err = p.replaced(each.layout, progress); err != nil {
			return p, fmt.Errorf("archive %s: %w", each.archive, err)
		}
	}
	return p, nil
}

// replaced puts the images of one unpacked archive in their components' places.
func (p plan) replaced(dir string, progress mesh.Progress) (plan, error) {
	refs, err := image.Refs(dir)
	if err != nil {
		return p, err
	}
	images := merged(p.ambient.Images, nil)
	sources := map[string]string{}
	for _, ref := range refs {
		component := componentOf(ref)
		switch component {
		case ambient.Pilot, ambient.InstallCNI, ambient.ProxyV2, ambient.Ztunnel, ambient.MetricsServer:
			images[component] = ref
		case "agent":
			p.agent = ref
		default:
			return p, fmt.Errorf("image %s replaces no component: name it pilot, install-cni, proxyv2, ztunnel, metrics-server or agent", ref)
		}
		if component == ambient.Ztunnel && !strings.HasPrefix(ref, standInPrefix) {
			p.ambient.StandIn = ""
		}
		if component == ambient.ProxyV2 && !strings.HasPrefix(ref, standInPrefix) {
			p.ambient.WaypointProxy = ""
		}
		sources[ref] = SourceArchive
		progress.Note("%s comes from an archive: %s", component, ref)
	}
	p.ambient.Images = images
	p.sources = merged(p.sources, sources)
	p.layouts = append(p.layouts, dir)
	return p, nil
}

func merged(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for _, each := range []map[string]string{a, b} {
		maps.Copy(all, each)
	}
	return all
}

// componentOf is the last word of a reference without its tag.
func componentOf(ref string) string {
	base, _, _ := strings.Cut(path.Base(ref), "@")
	base, _, _ = strings.Cut(base, ":")
	return base
}

// archived uses a folder that `wayproof images save` wrote: everything, with
// no registry of any kind.
func (e *Environment) archived(ctx context.Context) (plan, error) {
	saved, err := build.OpenSaved(e.options.Archive)
	if err != nil {
		return plan{}, err
	}
	made := plan{
		node: saved.Node, nodeArchive: filepath.Join(e.options.Archive, build.SavedNode), nodeKey: saved.NodeBase,
		agent: saved.Agent, ambient: e.ours(saved, filepath.Join(e.options.Archive, build.SavedCharts)),
	}
	dir, err := image.Unpack(ctx, e.cache, filepath.Join(e.options.Archive, build.SavedImages))
	made.layouts = []string{dir}
	return made, err
}

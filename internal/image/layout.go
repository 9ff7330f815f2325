package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec is an image to be made: where its files come from and how it starts.
type Spec struct {
	Ref        string // full reference, tag included
	Files      []File
	Entrypoint []string
	Cmd        []string
	User       string
	Env        []string
	WorkDir    string
	StopSignal string
}

// Make assembles an image for linux on this machine's architecture.
func Make(spec Spec) (v1.Image, error) {
	layer, err := Layer(spec.Files)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", spec.Ref, err)
	}
	return Assemble(spec, layer)
}

// Assemble puts layers under a spec's configuration.
func Assemble(spec Spec, layers ...v1.Layer) (v1.Image, error) {
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	base = mutate.ConfigMediaType(base, types.OCIConfigJSON)
	configured, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64",
		Created: v1.Time{Time: time.Unix(0, 0).UTC()},
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint: spec.Entrypoint, Cmd: spec.Cmd, User: spec.User, Env: spec.Env,
			WorkingDir: spec.WorkDir, StopSignal: spec.StopSignal,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("configure image %s: %w", spec.Ref, err)
	}
	made, err := mutate.AppendLayers(configured, layers...)
	if err != nil {
		return nil, fmt.Errorf("assemble image %s: %w", spec.Ref, err)
	}
	return made, nil
}

// annotations under which containerd finds an image's full name in a layout.
const (
	nameAnnotation = "io.containerd.image.name"
	refAnnotation  = "org.opencontainers.image.ref.name"
)

// WriteLayout makes dir an OCI layout that holds every spec.
func WriteLayout(dir string, specs []Spec) error {
	target, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("begin image layout %s: %w", dir, err)
	}
	for _, spec := range specs {
		made, err := Make(spec)
		if err != nil {
			return err
		}
		named := layout.WithAnnotations(map[string]string{nameAnnotation: spec.Ref, refAnnotation: spec.Ref})
		if err := target.AppendImage(made, named, layout.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"})); err != nil {
			return fmt.Errorf("write image %s: %w", spec.Ref, err)
		}
	}
	return nil
}

// Refs lists the images that a layout holds, in the order they were written.
func Refs(dir string) ([]string, error) {
	entries, err := entries(dir)
	var refs []string
	for _, entry := range entries {
		refs = append(refs, entry.Annotations[nameAnnotation])
	}
	return refs, err
}

// Digests says of each image that a layout holds what it is made of: the same
// reference may name another image tomorrow.
func Digests(dir string) (map[string]string, error) {
	entries, err := entries(dir)
	digests := map[string]string{}
	for _, entry := range entries {
		digests[entry.Annotations[nameAnnotation]] = entry.Digest.String()
	}
	return digests, err
}

func entries(dir string) ([]v1.Descriptor, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("read image layout %s: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read index of %s: %w", dir, err)
	}
	return manifest.Manifests, nil
}

// WriteDockerArchive writes an image in the form that every engine's load
// command reads.
func WriteDockerArchive(to io.Writer, ref string, made v1.Image) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("name image: %w", err)
	}
	if err := tarball.Write(tag, made, to); err != nil {
		return fmt.Errorf("write image %s: %w", ref, err)
	}
	return nil
}

// TarFolder streams a folder as a tar archive, which is how a layout is handed
// to containerd's import.
func TarFolder(to io.Writer, dir string) (err error) {
	archive := tar.NewWriter(to)
	defer func() { err = errors.Join(err, archive.Close()) }()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer root.Close()
	if err := archive.AddFS(root.FS()); err != nil {
		return fmt.Errorf("pack %s: %w", filepath.Base(dir), err)
	}
	return nil
}

// Merge makes dir a layout that holds the images of all others.
func Merge(dir string, others ...string) error {
	target, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("begin image layout %s: %w", dir, err)
	}
	for _, other := range others {
		index, err := layout.ImageIndexFromPath(other)
		if err != nil {
			return fmt.Errorf("read image layout %s: %w", other, err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			return fmt.Errorf("read index of %s: %w", other, err)
		}
		for _, entry := range manifest.Manifests {
			found, err := index.Image(entry.Digest)
			if err != nil {
				return fmt.Errorf("read image %s: %w", entry.Annotations[nameAnnotation], err)
			}
			if err := target.AppendImage(found, layout.WithAnnotations(entry.Annotations), layout.WithPlatform(*entry.Platform)); err != nil {
				return fmt.Errorf("write image %s: %w", entry.Annotations[nameAnnotation], err)
			}
		}
	}
	return nil
}

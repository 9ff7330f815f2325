package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Find reads the image of a layout that goes by ref.
func Find(dir, ref string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("read image layout %s: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read index of %s: %w", dir, err)
	}
	for _, entry := range manifest.Manifests {
		if entry.Annotations[nameAnnotation] == ref {
			return index.Image(entry.Digest)
		}
	}
	return nil, fmt.Errorf("no image %s in layout %s", ref, dir)
}

// Push copies an image to a registry under a reference, with the credentials
// that the user's container tools have for it. Registries on this machine and
// in private networks are spoken to in plain HTTP, others by TLS.
func Push(ctx context.Context, found v1.Image, to string) error {
	target, err := name.ParseReference(to, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("push image: %w: name it REGISTRY/NAME:TAG", err)
	}
	if err := remote.Write(target, found, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push image %s: %w", to, err)
	}
	return nil
}

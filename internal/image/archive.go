package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// Unpack turns an image archive, as docker save or an OCI tool writes it, into
// a checked layout in the cache. A truncated or tampered archive is refused:
// every blob is digested and compared with the manifest.
func Unpack(ctx context.Context, cache *Cache, archive string) (string, error) {
	digest, err := FileDigest(archive)
	if err != nil {
		return "", err
	}
	return cache.Ensure(ctx, "archive", Key(digest, layoutEdition), func(_ context.Context, dir string) error {
		if err := unpack(archive, dir); err != nil {
			return fmt.Errorf("image archive %s: %w", archive, err)
		}
		return nil
	})
}

// layoutEdition changes with how archives are unpacked, so that what an older
// wayproof unpacked is not used.
const layoutEdition = "names as the kubelet asks for them"

func unpack(archive, dir string) error {
	oci, err := contains(archive, "oci-layout")
	if err != nil {
		return err
	}
	if oci {
		return unpackOCI(archive, dir)
	}
	return unpackDocker(archive, dir)
}

// contains looks for a member of a tar archive, reading it to the end so that
// a truncated one is noticed.
func contains(archive, member string) (bool, error) {
	file, err := os.Open(archive)
	if err != nil {
		return false, err
	}
	defer file.Close()
	found := false
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return false, fmt.Errorf("not a whole archive: %w", err)
		}
		found = found || filepath.Clean(header.Name) == member
	}
}

func unpackOCI(archive, dir string) error {
	if err := untar(archive, dir); err != nil {
		return err
	}
	if err := check(dir); err != nil {
		return fmt.Errorf("its content is not what its manifest says: %w", err)
	}
	refs, err := Refs(dir)
	if err != nil {
		return err
	}
	return checkNames(refs)
}

// checkNames refuses an archive that gives a node nothing that a pod could name.
func checkNames(refs []string) error {
	if len(refs) == 0 {
		return errors.New("no image is in it")
	}
	if slices.Contains(refs, "") {
		return errors.New("an image in it has no name: save it under a full reference")
	}
	return nil
}

// untar extracts regular files; os.Root keeps hostile names inside dir.
func untar(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := extract(root, header, reader); err != nil {
			return fmt.Errorf("member %s: %w", header.Name, err)
		}
	}
}

func extract(root *os.Root, header *tar.Header, content io.Reader) (err error) {
	name := filepath.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeReg:
	default:
		return fmt.Errorf("has type %q, which an image layout does not hold", header.Typeflag)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	target, err := root.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, content)
	return err
}

func unpackDocker(archive, dir string) error {
	open := func() (io.ReadCloser, error) { return os.Open(archive) }
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return fmt.Errorf("neither an OCI nor a Docker archive: %w", err)
	}
	target, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("begin image layout: %w", err)
	}
	if len(manifest) == 0 {
		return checkNames(nil)
	}
	for _, entry := range manifest {
		if len(entry.RepoTags) == 0 {
			return checkNames([]string{""})
		}
		for _, ref := range entry.RepoTags {
			if err := appendDocker(target, open, ref); err != nil {
				return fmt.Errorf("image %s in it: %w", ref, err)
			}
		}
	}
	return nil
}

// asked is the name under which a kubelet asks for an image: it says docker.io
// where the registry's own host name is index.docker.io.
func asked(tag name.Tag) string {
	if rest, ok := strings.CutPrefix(tag.Name(), name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return tag.Name()
}

func appendDocker(target layout.Path, open tarball.Opener, ref string) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	found, err := tarball.Image(open, &tag)
	if err != nil {
		return err
	}
	if err := validate.Image(found); err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{nameAnnotation: asked(tag), refAnnotation: ref})
	return target.AppendImage(found, named, layout.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"}))
}

package image

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// check compares every blob that a layout's index leads to with the digest and
// size by which it is referred to. It does not unpack layers, so it does not
// matter how they are compressed.
func check(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		return fmt.Errorf("no image layout in it: %w", err)
	}
	return checkManifests(dir, content)
}

func checkManifests(dir string, content []byte) error {
	var index v1.IndexManifest
	if err := json.Unmarshal(content, &index); err != nil {
		return fmt.Errorf("read an index: %w", err)
	}
	for _, entry := range index.Manifests {
		if err := checkManifest(dir, entry); err != nil {
			return err
		}
	}
	return nil
}

func checkManifest(dir string, entry v1.Descriptor) error {
	if err := checkBlob(dir, entry); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	content, err := os.ReadFile(blobPath(dir, entry.Digest))
	if err != nil {
		return err
	}
	if entry.MediaType.IsIndex() {
		return checkManifests(dir, content)
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return fmt.Errorf("read manifest %s: %w", entry.Digest, err)
	}
	for _, blob := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if err := checkBlob(dir, blob); err != nil {
			return fmt.Errorf("blob of manifest %s: %w", entry.Digest, err)
		}
	}
	return nil
}

func checkBlob(dir string, blob v1.Descriptor) error {
	if blob.Digest.Algorithm != "sha256" {
		return fmt.Errorf("%s: only sha256 digests are understood", blob.Digest)
	}
	info, err := os.Stat(blobPath(dir, blob.Digest))
	if err != nil {
		return err
	}
	if info.Size() != blob.Size {
		return fmt.Errorf("%s has %d bytes, not %d", blob.Digest, info.Size(), blob.Size)
	}
	digest, err := FileDigest(blobPath(dir, blob.Digest))
	if err != nil {
		return err
	}
	if digest != blob.Digest.Hex {
		return fmt.Errorf("%s has digest %s", blob.Digest, digest)
	}
	return nil
}

func blobPath(dir string, digest v1.Hash) string {
	return filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex)
}

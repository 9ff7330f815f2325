package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/image"
)

// The files of a folder that Save writes: everything that a machine without
// any registry needs to bring a cluster up.
const (
	SavedNode   = "node.tar"
	SavedImages = "images.tar"
	SavedCharts = "charts"
	savedIndex  = "wayproof-images.json"
)

// saved is the index of such a folder.
type saved struct {
	Set     Set               `json:"set"`
	Digests map[string]string `json:"digests"`
}

// Save writes a set as a folder that IMAGES=archive takes.
func Save(ctx context.Context, set Set, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, SavedCharts)); err != nil {
		return fmt.Errorf("remove earlier charts: %w", err)
	}
	merged, err := os.MkdirTemp(dir, "layout-")
	if err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	defer os.RemoveAll(merged)
	if err := errors.Join(
		image.Merge(merged, set.Layout, set.AgentLayout),
		writeTo(filepath.Join(dir, SavedImages), func(to io.Writer) error { return image.TarFolder(to, merged) }),
		copyFile(set.NodeArchive, filepath.Join(dir, SavedNode)),
		run(exec.CommandContext(ctx, "cp", "-rT", "--no-preserve=mode", set.Charts, filepath.Join(dir, SavedCharts)), "copy Istio's charts"),
	); err != nil {
		return err
	}
	return writeIndex(set, dir)
}

func writeIndex(set Set, dir string) error {
	index := saved{Set: set, Digests: map[string]string{}}
	for _, name := range []string{SavedNode, SavedImages, SavedCharts} {
		digest, err := digestOf(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		index.Digests[name] = digest
	}
	content, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the index of %s: %w", dir, err)
	}
	return os.WriteFile(filepath.Join(dir, savedIndex), content, 0o644)
}

// IsSaved says whether a folder was written by Save (rather than being a
// folder of single archives).
func IsSaved(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, savedIndex))
	return err == nil
}

// OpenSaved reads a folder that Save wrote, and checks that nothing in it was
// cut short or changed.
func OpenSaved(dir string) (Set, error) {
	content, err := os.ReadFile(filepath.Join(dir, savedIndex))
	if err != nil {
		return Set{}, fmt.Errorf("open saved images: %w: make the folder with: wayproof images save %s", err, dir)
	}
	var index saved
	if err := json.Unmarshal(content, &index); err != nil {
		return Set{}, fmt.Errorf("read the index of %s: %w", dir, err)
	}
	for _, name := range []string{SavedNode, SavedImages, SavedCharts} {
		digest, err := digestOf(filepath.Join(dir, name))
		if err != nil {
			return Set{}, err
		}
		if digest != index.Digests[name] {
			return Set{}, fmt.Errorf("%s in %s is not what was saved (digest %s, expected %s): save it again", name, dir, digest, index.Digests[name])
		}
	}
	return index.Set, nil
}

// digestOf digests a file, or everything in a folder.
func digestOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	if !info.IsDir() {
		return image.FileDigest(path)
	}
	return image.TreeDigest(path, func(string) bool { return true })
}

func writeTo(path string, write func(io.Writer) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	defer source.Close()
	return writeTo(to, func(target io.Writer) error {
		_, err := io.Copy(target, source)
		return err
	})
}

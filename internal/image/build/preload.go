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
	"syscall"
	"time"

	"github.com/wayproof/wayproof/internal/image"
)

// withProductHook edits an OCI runtime spec as kind's base image does.
func withProductHook(spec []byte) ([]byte, error) {
	var parsed map[string]any
	if err := json.Unmarshal(spec, &parsed); err != nil {
		return nil, fmt.Errorf("read the default container: %w", err)
	}
	process, ok := parsed["process"].(map[string]any)
	if !ok {
		return nil, errors.New("the default container has no process")
	}
	delete(process, "rlimits")
	hook := map[string]any{"path": "/kind/bin/mount-product-files.sh"}
	parsed["hooks"] = map[string]any{"createContainer": []any{hook}}
	return json.Marshal(parsed)
}

// containerdConfig starts a containerd that only stores: no pods, no runtime.
const containerdConfig = `version = 3
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
address = %q
[ttrpc]
address = %q
`

// preload imports a layout into a store of its own by a containerd that runs
// just for that, and packs the store as a layer of the node image. Nothing is
// unpacked, so no mount is made and no engine is needed.
func preload(ctx context.Context, containerd Binaries, layout, to string) error {
	scratch, err := os.MkdirTemp("", "wayproof-store-") // a socket's path has to be short
	if err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	root := to + ".root" // in the cache's own scratch folder, so that a killed run's store goes with it
	defer os.RemoveAll(root)
	store := filepath.Join(root, "var", "lib", "containerd")
	socket := filepath.Join(scratch, "c.sock")
	config := filepath.Join(scratch, "config.toml")
	text := fmt.Sprintf(containerdConfig, store, filepath.Join(scratch, "state"), socket, socket+".ttrpc")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configure containerd: %w", err)
	}
	if err := withDaemon(ctx, bound(exec.CommandContext(ctx, containerd.path("containerd"), "--config", config)), socket, func() error {
		return importLayout(ctx, containerd, socket, layout)
	}); err != nil {
		return err
	}
	pack := exec.CommandContext(ctx, "tar", "--numeric-owner", "--sort=name", "--mtime=@0", "-C", root, "-cf", to, "./var")
	return run(pack, "pack containerd's store")
}

// startWait bounds how long the scratch containerd may take to answer.
const startWait = 30 * time.Second

// withDaemon runs work while a daemon listens on socket, then ends the daemon.
func withDaemon(ctx context.Context, daemon *exec.Cmd, socket string, work func() error) error {
	var output tailBuffer
	daemon.Stdout, daemon.Stderr = &output, &output
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("start containerd: %w", err)
	}
	err := waitFor(ctx, socket)
	if err == nil {
		err = work()
	}
	stopped := daemon.Process.Signal(syscall.SIGTERM)
	_ = daemon.Wait() // its exit code says only that it was told to stop
	if err != nil {
		return fmt.Errorf("%w: containerd said: %s", errors.Join(err, stopped), tail(output.String()))
	}
	return nil
}

func waitFor(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", path, ctx.Err())
		case <-tick.C:
		}
	}
}

func importLayout(ctx context.Context, containerd Binaries, socket, layout string) error {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(image.TarFolder(writer, layout)) }()
	cmd := exec.CommandContext(ctx, containerd.path("ctr"), "--address", socket, "--namespace", "k8s.io",
		"images", "import", "--all-platforms", "--no-unpack", "--digests", "-")
	cmd.Stdin = reader
	return run(cmd, "import the images into the node's store")
}

// tailBuffer keeps the last part of what a daemon prints.
type tailBuffer struct{ kept []byte }

const keptOutput = 16 << 10

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > keptOutput {
		t.kept = t.kept[len(t.kept)-keptOutput:]
	}
	return len(p), nil
}

func (t *tailBuffer) String() string { return string(t.kept) }

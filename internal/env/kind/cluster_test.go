package kind

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/wayproof/wayproof/internal/progress"
)

// withEngine gives an environment an engine that is a script: it writes down
// what it is asked, and answers as the script says.
func withEngine(t *testing.T, script string, options Options) (environment *Environment, asked func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "asked")
	content := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\ncase \"$*\" in\n%s\nesac\n", log, script)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte(content), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	environment = environmentWith(t, options)
	environment.use("docker", progress.New(&bytes.Buffer{}))
	return environment, func() string {
		content, err := os.ReadFile(log)
		if err != nil {
			return "" // it was asked nothing
		}
		return string(content)
	}
}

// TestAClusterIsReplacedOnlyForAReason: a look that was aborted or failed says
// nothing about the cluster.
func TestAClusterIsReplacedOnlyForAReason(t *testing.T) {
	const there = "*'{{.Label'*) echo one;;\n"
	aborted, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx      context.Context
		script   string
		known    state
		replaced bool
	}{
		"aborted while it looked":   {aborted, there, state{Created: true, Node: "n"}, false},
		"aborted, and unfit":        {aborted, there, state{Created: true, Node: "other"}, false},
		"the engine gave no answer": {t.Context(), there + "*'{{.State}}'*) echo gone >&2; exit 1;;", state{Created: true, Node: "n"}, false},
		"made of another image":     {t.Context(), there + "*'{{.Names}}'*) echo one-control-plane;;", state{Created: true, Node: "other"}, true},
		"half made":                 {t.Context(), there + "*'{{.Names}}'*) echo one-control-plane;;", state{Node: "n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			environment, asked := withEngine(t, tc.script, Options{Cluster: "one", Kubeconfig: filepath.Join(t.TempDir(), "config")})
			environment.plan = plan{nodeKey: "n"}
			tc.known.Cluster = "one"
			require.NoError(t, tc.known.write(environment.stateDir()))
			_, err := environment.ensureCluster(tc.ctx, progress.New(&bytes.Buffer{}))
			require.Error(t, err, "no case gets as far as a cluster that is ready")
			if tc.replaced {
				assert.Contains(t, asked(), "rm -f -v one-control-plane")
				return
			}
			require.ErrorContains(t, err, "it is left as it is")
			assert.NotContains(t, asked(), "rm ")
			known, err := readState(environment.stateDir(), "one")
			require.NoError(t, err)
			assert.Equal(t, &tc.known, known)
		})
	}
}

// TestAnAbortedCreation: half a cluster goes, unless it is to be kept. kind hangs
// on a configuration that nobody writes, and so never gets to the engine.
func TestAnAbortedCreation(t *testing.T) {
	for _, keep := range []bool{false, true} {
		environment, asked := withEngine(t, "*'{{.Names}}'*) echo one-control-plane;;", Options{Cluster: "one", Keep: keep})
		known := &state{Cluster: "one", Kubeconfig: filepath.Join(t.TempDir(), "config")}
		require.NoError(t, known.write(environment.stateDir()))
		config := filepath.Join(t.TempDir(), "config")
		require.NoError(t, unix.Mkfifo(config, 0o600))
		release := func() { _ = os.WriteFile(config, []byte("spoilt"), 0o600) }
		aborted, cancel := context.WithCancel(t.Context())
		cancel()
		if keep {
			t.Cleanup(release)
		} else {
			go func() {
				for !strings.Contains(asked(), "rm -f -v") {
					runtime.Gosched()
				}
				release()
			}()
		}
		err := environment.createOrUndo(aborted, known, []cluster.CreateOption{cluster.CreateWithConfigFile(config)})
		require.ErrorIs(t, err, context.Canceled)
		left, err := readState(environment.stateDir(), "one")
		require.NoError(t, err)
		assert.Equal(t, keep, left != nil, "what is kept is remembered: the next up knows that it is half a cluster")
		assert.Equal(t, !keep, strings.Contains(asked(), "rm -f -v one-control-plane"))
	}
}

// TestWhatCameWithAClusterGoesWithTheLast: the network and a kubeconfig of two
// clusters, whichever goes first, and not while a stopped node needs it.
func TestWhatCameWithAClusterGoesWithTheLast(t *testing.T) {
	ctx := t.Context()
	environment, asked := withEngine(t, "*'network inspect'*) [ -e $THERE ];;\n*'network rm'*) rm $THERE;;\n*--filter\\ network=*) cat $USERS;;",
		Options{Cluster: "one", Kubeconfig: filepath.Join(t.TempDir(), "config")})
	there, users := filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "users")
	t.Setenv("THERE", there)
	t.Setenv("USERS", users)
	first, err := environment.begin(ctx)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(there, nil, 0o600)) // kind makes both with the first node
	require.NoError(t, os.WriteFile(environment.options.Kubeconfig, nil, 0o600))
	environment.options.Cluster = "two"
	second, err := environment.begin(ctx)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(users, []byte("two-worker, stopped\n"), 0o600))
	require.NoError(t, os.WriteFile(environment.options.Kubeconfig, []byte("contexts: [{name: kind-two, context: {cluster: kind-two}}]\n"), 0o600))
	environment.options.Cluster = "one"
	require.NoError(t, environment.remove(ctx, first))
	assert.NotContains(t, asked(), "network rm")
	assert.FileExists(t, environment.options.Kubeconfig)

	require.NoError(t, os.WriteFile(users, nil, 0o600))
	require.NoError(t, os.WriteFile(environment.options.Kubeconfig, []byte("apiVersion: v1\nkind: Config\n"), 0o600))
	environment.options.Cluster = "two"
	require.NoError(t, environment.remove(ctx, second))
	assert.NoFileExists(t, there)
	assert.NoFileExists(t, environment.options.Kubeconfig)
}

func TestWhatWasThereBeforeStays(t *testing.T) {
	environment, asked := withEngine(t, "*'network inspect'*) exit 0;;", Options{Cluster: "one", Kubeconfig: filepath.Join(t.TempDir(), "config")})
	require.NoError(t, os.WriteFile(environment.options.Kubeconfig, nil, 0o600))
	known, err := environment.begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, environment.remove(t.Context(), known))
	assert.NotContains(t, asked(), "network rm")
	assert.FileExists(t, environment.options.Kubeconfig)
}

// TestAutoKeepsToWhatAClusterWasMadeOf: while it is there; no registry is asked.
func TestAutoKeepsToWhatAClusterWasMadeOf(t *testing.T) {
	lines := progress.New(&bytes.Buffer{})
	environment, _ := withEngine(t, "*'{{.Label'*) echo one;;", Options{Cluster: "one"})
	aborted, cancel := context.WithCancel(t.Context())
	cancel() // nothing answers an aborted question: a choice would be build
	for name, tc := range map[string]struct {
		known state
		want  string
	}{
		"pulled":          {state{Cluster: "one", Created: true, Source: SourcePull}, SourcePull},
		"built":           {state{Cluster: "one", Created: true, Source: SourceBuild}, SourceBuild},
		"half made":       {state{Cluster: "one", Source: SourcePull}, SourceBuild},
		"from an archive": {state{Cluster: "one", Created: true, Source: SourceArchive}, SourceBuild},
		"gone":            {state{Cluster: "two", Created: true, Source: SourcePull}, SourceBuild},
	} {
		environment.options.Cluster = tc.known.Cluster
		require.NoError(t, tc.known.write(environment.stateDir()))
		source, err := environment.autoSource(aborted, lines)
		require.NoError(t, err, name)
		assert.Equal(t, tc.want, source, name)
	}
}

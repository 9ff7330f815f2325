package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/env/kind"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/record"
)

func TestSplitImages(t *testing.T) {
	dir := t.TempDir()
	for value, want := range map[string][2]string{
		"":                         {"auto", ""},
		"auto":                     {"auto", ""},
		"pull":                     {"pull", ""},
		"build":                    {"build", ""},
		"archive:" + dir:           {"archive", dir},
		"build,archive:" + dir:     {"build", dir},
		"archive:" + dir + ",pull": {"pull", dir},
		" build , archive:" + dir:  {"build", dir},
	} {
		source, archive, err := splitImages(value)
		require.NoError(t, err, value)
		assert.Equal(t, want, [2]string{source, archive}, value)
	}
	for value, says := range map[string]string{
		"magic": `"magic" is no image source`, "archive": "archive:DIR", "archive:": "archive:DIR", "build:x": "build:x",
		"build,pull": "two sources", "build,": "is no image source", "archive:/no/such/folder": "is no folder",
		"archive:" + dir + ",archive:" + t.TempDir(): "two folders",
	} {
		_, _, err := splitImages(value)
		require.ErrorContains(t, err, says, value)
	}
}

// parsed runs a command line as far as its flags.
func parsed(t *testing.T, args ...string) *environmentFlags {
	t.Helper()
	flags := &environmentFlags{}
	cmd := &cobra.Command{RunE: func(*cobra.Command, []string) error { return nil }}
	flags.register(cmd)
	cmd.SetArgs(args)
	require.NoError(t, cmd.Execute())
	return flags
}

func clearKnobs(t *testing.T) {
	t.Helper()
	for _, name := range []string{"KEEP", "CLUSTER", "ISTIO", "IMAGES", "KUBECONFIG"} {
		t.Setenv(name, "")
	}
}

func TestKnobsAreVariablesAndFlags(t *testing.T) {
	clearKnobs(t)
	flags := parsed(t)
	assert.Equal(t, kind.DefaultCluster, flags.cluster)
	assert.Equal(t, defaultIstio, flags.istio)
	assert.Equal(t, kind.SourceAuto, flags.images)
	assert.False(t, flags.keep)

	t.Setenv("CLUSTER", "other")
	t.Setenv("ISTIO", "1.30.0")
	t.Setenv("IMAGES", "build")
	t.Setenv("KEEP", "1")
	t.Setenv("KUBECONFIG", "/a:/b")
	flags = parsed(t)
	assert.Equal(t, "other", flags.cluster)
	assert.Equal(t, "1.30.0", flags.istio)
	assert.Equal(t, "build", flags.images)
	assert.True(t, flags.keep)
	assert.Equal(t, "/a", firstPath(flags.kubeconfig))
	assert.Equal(t, "third", parsed(t, "--cluster", "third").cluster, "a flag goes over its variable")
}

func TestANoIsANo(t *testing.T) {
	for value, want := range map[string]bool{"": false, "0": false, "false": false, "No": false, "1": true, "true": true, "yes": true, "please": true} {
		t.Setenv("KEEP", value)
		assert.Equal(t, want, parsed(t).keep, value)
	}
}

func TestBadEnvironmentFlagsAreRefusedBeforeAnythingIsMade(t *testing.T) {
	clearKnobs(t)
	for says, args := range map[string][]string{
		"is no image source":    {"--images", "magic"},
		"read --kind-config":    {"--kind-config", "/no/such/file"},
		"give --existing":       {"--context", "other"},
		"gateway api channel":   {"--gateway-api", "purple"},
		"--context and --adopt": {"--adopt"},
	} {
		_, err := parsed(t, args...).environment()
		require.ErrorContains(t, err, says, args)
	}
}

func TestTheEnvironmentIsChosenByFlag(t *testing.T) {
	clearKnobs(t)
	kubeconfig := filepath.Join(t.TempDir(), "config")
	made, err := parsed(t, "--cluster", "one", "--kubeconfig", kubeconfig).environment()
	require.NoError(t, err)
	assert.Equal(t, "kind", made.Name())
	assert.Equal(t, "kind-one", made.Context())
	assert.NoFileExists(t, kubeconfig)

	made, err = parsed(t, "--existing", "--context", "prod", "--agent-image", "r/a:1", "--kubeconfig", kubeconfig).environment()
	require.NoError(t, err)
	assert.Equal(t, "existing", made.Name())
	assert.Equal(t, "prod", made.Context())
	assert.Equal(t, "r/a:1", agentOf(made))
}

func TestFindingsShowTheirRemedies(t *testing.T) {
	findings := []mesh.Finding{
		{Check: "engine", OK: true, Detail: "docker answers", Needed: mesh.Everything},
		{Check: "tracing", Detail: "no provider", Needed: "task 3", Remedy: "add one"},
	}
	var out bytes.Buffer
	require.NoError(t, printFindings(&out, findings))
	assert.Equal(t, "ok       engine   docker answers\nMISSING  tracing  no provider\n                  needed by task 3; remedy: add one\n", out.String())
	require.NoError(t, verdictOn(findings), "one task less is still a run")
	err := verdictOn(append(findings, mesh.Finding{Check: "istio", Needed: mesh.Everything}))
	var coded *exitError
	require.ErrorAs(t, err, &coded)
	assert.Equal(t, exitCouldNotRun, coded.code)
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printImages(&out, []build.Listed{{Ref: "r/a:1", Cached: true}, {Ref: "r/b"}}))
	assert.Equal(t, "STATE      IMAGE\ncached     r/a:1\nnot built  r/b\n\nmake what is missing with: wayproof images build\n", out.String())
	out.Reset()
	require.NoError(t, printEnvironment(&out, record.Environment{
		Kubernetes: "v1.36.3", Nodes: 3, Istio: "1.31", NodeProxy: "stand-in abc",
		Components: []record.Component{{Name: "ztunnel", Version: "abc", Source: "build", Image: "r/z:1"}},
	}))
	assert.Contains(t, out.String(), "Kubernetes      v1.36.3, 3 nodes\n")
	assert.Contains(t, out.String(), "node proxy      stand-in abc\n")
	assert.Regexp(t, `ztunnel +abc +build +r/z:1\n`, out.String())
}

// TestExitCodeOfBadCommandLines uses the program's own root command.
func TestExitCodeOfBadCommandLines(t *testing.T) {
	clearKnobs(t)
	for _, args := range [][]string{
		{"up", "--no-such-flag"}, {"nonsense"}, {"up", "stray"}, {"images", "save"}, {"up", "--images", "magic"}, {"doctor", "--kubeconfig", "/no/such/file"},
	} {
		cmd := root()
		cmd.SetArgs(args)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		err := cmd.ExecuteContext(t.Context())
		require.Error(t, err, args)
		var coded *exitError
		assert.NotErrorAs(t, err, &coded, "%v: no code of its own means %d, could not run", args, exitCouldNotRun)
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEverySubcommandIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, command := range root().Commands() {
		assert.NotEmpty(t, command.Short, command.Name())
		assert.False(t, seen[command.Name()], command.Name())
		seen[command.Name()] = true
	}
	assert.Subset(t, seen, map[string]bool{"idle": true, "ledger": true, "travel": true})
}

// The agent is in every pod of the fixture, so it stays small: no client of
// Kubernetes and none of its types.
func TestTheAgentKnowsNoKubernetes(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go tool here")
	}
	list := exec.CommandContext(t.Context(), goTool, "list", "-deps", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := list.Output()
	require.NoError(t, err)
	require.Contains(t, string(output), filepath.ToSlash("github.com/wayproof/wayproof/fixtures/travel"))
	for dependency := range strings.SplitSeq(string(output), "\n") {
		for _, forbidden := range []string{"k8s.io/", "sigs.k8s.io/", "istio.io/", "github.com/onsi/"} {
			assert.False(t, strings.HasPrefix(dependency, forbidden), dependency)
		}
	}
}

package summary_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/sample"
	"github.com/wayproof/wayproof/reports/summary"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestTerminal(t *testing.T) {
	var b strings.Builder
	require.NoError(t, summary.Terminal(&b, sample.New(1724, 1).Run(), ""))
	golden(t, "terminal.txt", b.String())
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	require.NoError(t, summary.Markdown(&b, sample.New(1724, 1).Run(), ""))
	golden(t, "summary.md", b.String())
}

func TestBlockSaysWhatTheDesignAsksFor(t *testing.T) {
	run := sample.New(1724, 1).Run()
	block := summary.Block(run, run.Verdicts[0], "artifacts/r1")
	lines := strings.Split(block, "\n")
	assert.Contains(t, lines[0], "declared v1 70 %, v2 30 %")
	assert.True(t, strings.HasSuffix(lines[0], "VIOLATED (blame: mesh)"), lines[0])
	for _, want := range []string{
		"allowed v1 3751..4086 of 5600 at alpha 1e-6; p = 7.8e-12", "first odd request #17",
		"generation 2: Accepted", "seed 1724; Istio 1.31.0, Kubernetes 1.36.2",
		"evidence artifacts/r1/evidence/", "again: wayproof replay artifacts/r1",
	} {
		assert.Contains(t, block, want)
	}
}

func TestProbability(t *testing.T) {
	for p, want := range map[float64]string{1e-6: "1e-6", 1e-3: "0.001", 1e-3 / 60: "1.67e-5", 0: "0", 3.2e-12: "3.2e-12"} {
		assert.Equal(t, want, summary.Probability(p))
	}
}

func TestHostileTextStaysText(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	var terminal, markdown strings.Builder
	require.NoError(t, summary.Terminal(&terminal, hostile.Run(), ""))
	require.NoError(t, summary.Markdown(&markdown, hostile.Run(), ""))
	for _, bad := range []string{"\x1b", "\x00", "\u202e", "\r"} {
		assert.NotContains(t, terminal.String(), bad)
		assert.NotContains(t, markdown.String(), bad)
	}
	for line := range strings.Lines(markdown.String()) {
		if !strings.HasPrefix(line, "    ") { // an indented block is literal
			assert.NotContains(t, line, "window.pwned=1>")
			assert.NotContains(t, line, "](")
		}
	}
}

func TestRunThatDiedIsNotGreen(t *testing.T) {
	var b strings.Builder
	run := &record.Run{ID: "r", Plan: record.Plan{Promises: []record.Promise{{ID: "task4/split", Task: "task4"}}}}
	require.NoError(t, summary.Terminal(&b, run, ""))
	assert.Contains(t, b.String(), "INCONCLUSIVE  0 of 1 promise held")
	b.Reset()
	require.NoError(t, summary.Terminal(&b, &record.Run{}, ""))
	assert.Contains(t, b.String(), "INCONCLUSIVE  No promise was judged")
}

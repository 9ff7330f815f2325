package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/synthetic"
)

// recordedRun writes a synthetic run to a folder.
func recordedRun(t *testing.T, shape synthetic.Shape) string {
	t.Helper()
	run, err := synthetic.New(t.Context(), shape)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, synthetic.Write(t.Context(), dir, run))
	return dir
}

// wayproofRun runs the command line and gives its exit code and output.
func wayproofRun(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	err := cmd.ExecuteContext(t.Context())
	var coded *exitError
	switch {
	case err == nil:
		return exitHeld, out.String()
	case errors.As(err, &coded):
		return coded.code, out.String()
	}
	return exitCouldNotRun, out.String() + err.Error()
}

func TestReplayAndGateExitCodes(t *testing.T) {
	sound, again := recordedRun(t, synthetic.Shape{Seed: 1}), recordedRun(t, synthetic.Shape{Seed: 2})
	off, slow := recordedRun(t, synthetic.Shape{Seed: 3, First: 650}), recordedRun(t, synthetic.Shape{Seed: 4, Slower: 50 * time.Millisecond})
	few, fewer := recordedRun(t, synthetic.Shape{Seed: 5, Hits: 600}), recordedRun(t, synthetic.Shape{Seed: 6, Hits: 600})
	tests := []struct {
		want int
		args []string
	}{
		{exitHeld, []string{"replay", sound}},
		{exitViolated, []string{"replay", off}},
		{exitInconclusive, []string{"replay", few}},
		{exitCouldNotRun, []string{"replay", t.TempDir()}},
		{exitViolated, []string{"replay", off, "--promise", synthetic.Split}},
		{exitHeld, []string{"replay", off, "--promise", synthetic.Latency}},
		{exitCouldNotRun, []string{"replay", off, "--promise", "task4/none"}},
		{exitHeld, []string{"gate", sound}},
		{exitHeld, []string{"gate", again, "--baseline", sound}},
		{exitViolated, []string{"gate", off, "--baseline", sound}},
		{exitViolated, []string{"gate", slow, "--baseline", sound}},
		{exitInconclusive, []string{"gate", few, "--baseline", fewer}},
		{exitCouldNotRun, []string{"gate", few, "--baseline", sound}},
		{exitCouldNotRun, []string{"gate", sound, "--baseline", t.TempDir()}},
		{exitCouldNotRun, []string{"gate", sound, "--policy", filepath.Join(t.TempDir(), "none.yaml")}},
	}
	for _, test := range tests {
		code, output := wayproofRun(t, test.args...)
		assert.Equal(t, test.want, code, "%s %s", test.args, output)
	}
}

// TestTheGateShowsWhatDiffers reads the table that goes with a refusal.
func TestTheGateShowsWhatDiffers(t *testing.T) {
	sound := recordedRun(t, synthetic.Shape{Seed: 1})
	_, equal := wayproofRun(t, "gate", recordedRun(t, synthetic.Shape{Seed: 2}), "--baseline", sound)
	assert.Contains(t, equal, "RELEASED")
	assert.NotContains(t, equal, "failed")
	_, off := wayproofRun(t, "gate", recordedRun(t, synthetic.Shape{Seed: 3, First: 650}), "--baseline", sound)
	assert.Regexp(t, `failed +share of v1 of `+synthetic.Split+` +70\.\d.* → 6[45]\.\d`, off)
	assert.NotRegexp(t, `failed +p50`, off, "latency is as it was")
	_, slow := wayproofRun(t, "gate", recordedRun(t, synthetic.Shape{Seed: 4, Slower: 50 * time.Millisecond}), "--baseline", sound)
	assert.Regexp(t, `failed +p50 of the latency of `+synthetic.SplitStage+` +\d.* ms → 5\d.* ms`, slow)
	assert.NotRegexp(t, `failed +share`, slow, "the split is as it was")
}

func TestWordsThatNameNoCommandAreErrors(t *testing.T) {
	for _, args := range [][]string{{"history", "bogus"}, {"images", "bogus"}, {"bogus"}, {"history", "show", "--file", filepath.Join(t.TempDir(), "none")}} {
		code, output := wayproofRun(t, args...)
		assert.Equal(t, exitCouldNotRun, code, "%s %s", args, output)
	}
}

func TestAnEditedRecordFailsReplayAndGate(t *testing.T) {
	dir := recordedRun(t, synthetic.Shape{Seed: 3, First: 620})
	verdicts, err := record.ReadVerdicts(dir)
	require.NoError(t, err)
	verdicts[0].Verdict, verdicts[0].Observed = record.Held, "\x1b[2J"+strings.Repeat("v1 70 % ", 1<<16)
	text, err := json.Marshal(verdicts)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, record.VerdictsFile), text, 0o600))
	code, output := wayproofRun(t, "replay", dir)
	assert.Equal(t, exitViolated, code)
	assert.Contains(t, output, "replay DIFFERS")
	assert.NotContains(t, output, "\x1b", "what a record holds moves no cursor")
	assert.Less(t, len(output), 20_000)
	code, output = wayproofRun(t, "gate", dir)
	assert.Equal(t, exitViolated, code)
	assert.Contains(t, output, "recomputed verdicts are not as recorded")
}

func TestReportWritesEveryFileAnew(t *testing.T) {
	dir := recordedRun(t, synthetic.Shape{Seed: 1})
	code, output := wayproofRun(t, "report", dir)
	assert.Equal(t, exitHeld, code)
	assert.Equal(t, filepath.Join(dir, "report.html")+"\n", output)
	for _, name := range []string{"report.html", "junit.xml", "summary.md", "metrics.prom", "conformance.yaml"} {
		assert.FileExists(t, filepath.Join(dir, name))
	}
}

func TestHistoryGrowsAndIsShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.ndjson")
	for seed := range uint64(3) {
		dir := recordedRun(t, synthetic.Shape{Seed: 20 + seed, First: 700 - int(seed)*60})
		code, output := wayproofRun(t, "history", "add", dir, "--file", file)
		require.Equal(t, exitHeld, code, output)
		code, _ = wayproofRun(t, "history", "add", dir, "--file", file)
		assert.Equal(t, exitCouldNotRun, code, "a run is added once")
		code, _ = wayproofRun(t, "history", "add", dir, "--file", file, "--if-new")
		assert.Equal(t, exitHeld, code)
	}
	code, output := wayproofRun(t, "history", "show", "--file", file)
	assert.Equal(t, exitHeld, code)
	assert.Contains(t, output, "flip  "+synthetic.Split+"  held → violated")
	assert.Contains(t, output, "3 runs, 5 measurements")
	assert.FileExists(t, filepath.Join(filepath.Dir(file), "trend.html"))
	code, _ = wayproofRun(t, "history", "show", "--file", file, "--run", "synthetic-21")
	assert.Equal(t, exitHeld, code)
	code, output = wayproofRun(t, "history", "show", "--file", file, "--run", "synthetic-29")
	assert.Equal(t, exitCouldNotRun, code)
	assert.Contains(t, output, "has no line of run synthetic-29")
}

// A run of the specs against a mutant looks like any other one, and must not be
// taken for a word about the mesh.
func TestARunAgainstAMutantSaysNothingAboutTheMesh(t *testing.T) {
	sound, docs := recordedRun(t, synthetic.Shape{Seed: 1}), t.TempDir()
	run, err := synthetic.New(t.Context(), synthetic.Shape{Seed: 2})
	require.NoError(t, err)
	run.Record.Command = record.AgainstMutant("split-60-40", "ginkgo ./suites/traffic")
	against := filepath.Join(t.TempDir(), "run")
	require.NoError(t, synthetic.Write(t.Context(), against, run))
	readme := filepath.Join(docs, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("<!-- kill matrix, by wayproof prove matrix -->\n<!-- end of kill matrix -->\n"), 0o600))
	matrix := []string{"prove", "matrix", "--docs", docs, "--readme", readme, "--seeds", "0", "--sound"}
	for _, args := range [][]string{
		{"gate", sound, "--baseline", against},
		{"history", "add", against, "--file", filepath.Join(docs, "history.ndjson")},
		append(matrix, against),
	} {
		code, output := wayproofRun(t, args...)
		assert.Equal(t, exitCouldNotRun, code, args)
		assert.Contains(t, output, "against the mutant split-60-40", args)
	}
	code, output := wayproofRun(t, "gate", against)
	assert.Equal(t, exitViolated, code, "a gate that let it pass would be none")
	assert.Contains(t, output, "against the mutant split-60-40")
	code, output = wayproofRun(t, append(matrix, sound)...)
	assert.Equal(t, exitHeld, code, output)
}

func TestStepSummaryIsAppended(t *testing.T) {
	dir := recordedRun(t, synthetic.Shape{Seed: 1})
	path := filepath.Join(t.TempDir(), "summary.md")
	require.NoError(t, os.WriteFile(path, []byte("before\n"), 0o600))
	require.NoError(t, stepSummary(dir, path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "before\n## ✓ held"), "%.60s", text)
	require.NoError(t, stepSummary(dir, ""), "elsewhere nothing happens")
	require.Error(t, stepSummary(t.TempDir(), path))
}

func TestAttestAndVerify(t *testing.T) {
	dir := recordedRun(t, synthetic.Shape{Seed: 1})
	key := filepath.Join(t.TempDir(), "key.pem")
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	code, output := wayproofRun(t, "verify", dir)
	assert.Equal(t, exitCouldNotRun, code, output)
	code, output = wayproofRun(t, "attest", dir)
	assert.Equal(t, exitHeld, code, output)
	code, _ = wayproofRun(t, "verify", dir, "--key", key)
	assert.Equal(t, exitViolated, code, "unsigned")
	code, _ = wayproofRun(t, "attest", dir, "--key", key)
	assert.Equal(t, exitHeld, code)
	code, output = wayproofRun(t, "verify", dir, "--key", key)
	assert.Equal(t, exitHeld, code)
	assert.Contains(t, output, "result PASSED; signature checked")
	require.NoError(t, os.WriteFile(filepath.Join(dir, record.ObservationsFile), nil, 0o600))
	code, output = wayproofRun(t, "verify", dir, "--key", key)
	assert.Equal(t, exitViolated, code)
	assert.Contains(t, output, "was changed")
	code, _ = wayproofRun(t, "attest", dir)
	assert.Equal(t, exitViolated, code, "what does not agree with itself is not attested")
}

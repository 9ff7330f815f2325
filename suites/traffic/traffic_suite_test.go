package traffic

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/env/kind"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/suites"
)

// TestTraffic is the way in for `ginkgo ./suites/traffic`, with Ginkgo's own
// --focus, --label-filter and --seed: it stands up what is missing, as
// `wayproof run` does, and leaves the cluster for the next time. A plain
// `go test ./...` starts no cluster.
func TestTraffic(t *testing.T) {
	if !startedByGinkgo() {
		t.Skip("plain go test starts no cluster: use ginkgo ./suites/traffic, or make e2e")
	}
	suite, reporter := ginkgo.GinkgoConfiguration()
	scenarios := wanted(ginkgo.PreviewSpecs("traffic", suite, reporter))
	require.NotEmpty(t, scenarios, "no spec matches --focus and --label-filter: `wayproof plan` lists what there is")
	lines := progress.New(os.Stderr)
	stage := open(t, scenarios, uint64(max(suite.RandomSeed, 0)), lines) //nolint:gosec // not negative
	session := &suites.Session{Scene: stage, Selected: map[string]bool{}, Report: func(v record.Verdict) { lines.Note("%s", claim.Line(v)) }}
	for _, scenario := range scenarios {
		session.Selected[scenario.ID] = true
	}
	session.Spoil = defect(t)
	suites.Use(session)
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, "wayproof: traffic", suite, reporter)
	finish(t, stage, lines)
}

// defect is the mutant that the variable MUTANT names, if it does: with it, the
// spec of that mutant's scenario has to fail.
func defect(t *testing.T) func(catalogue.Scenario) catalogue.Scenario {
	t.Helper()
	name := os.Getenv("MUTANT")
	if name == "" {
		return nil
	}
	all := proof.Mutants()
	place := slices.IndexFunc(all, func(m proof.Mutant) bool { return m.Name == name })
	require.GreaterOrEqual(t, place, 0, "MUTANT=%s is none: `wayproof prove --list`", name)
	return all[place].Spoil
}

// startedByGinkgo tells ginkgo's command from go test: it hands its settings on
// as flags of its own.
func startedByGinkgo() bool {
	return slices.ContainsFunc(os.Args, func(arg string) bool {
		return strings.HasPrefix(strings.TrimLeft(arg, "-"), "ginkgo.")
	})
}

// wanted are the scenarios whose specs Ginkgo is going to run.
func wanted(preview ginkgo.Report) []catalogue.Scenario {
	runs := map[string]bool{}
	for _, spec := range preview.SpecReports {
		runs[spec.LeafNodeText] = runs[spec.LeafNodeText] || spec.State != types.SpecStateSkipped
	}
	return slices.DeleteFunc(catalogue.Traffic(), func(s catalogue.Scenario) bool { return !runs[s.Title] })
}

// open brings the environment up and opens the run's record. Once specs run,
// Ginkgo owns the signals; until then an abort is ours to clean up after.
func open(t *testing.T, scenarios []catalogue.Scenario, seed uint64, lines *progress.Lines) *scene.Scene {
	t.Helper()
	ctx, release := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	plan, err := catalogue.Plan(scenarios, seed)
	require.NoError(t, err)
	plan.Unselected = catalogue.Unselected(catalogue.Traffic(), plan)
	known, err := catalogue.Known()
	require.NoError(t, err)
	environment, err := kind.New(kind.Options{
		Cluster: os.Getenv("CLUSTER"), Kubeconfig: os.Getenv("KUBECONFIG"), Config: wayproof.KindConfig,
		Images: os.Getenv("IMAGES"), Istio: os.Getenv("ISTIO"), Keep: os.Getenv("KEEP") != "",
	})
	require.NoError(t, err)
	require.NoError(t, environment.Up(ctx, lines))
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	require.NoError(t, err)
	described, err := environment.Describe(ctx)
	require.NoError(t, err)
	id := scene.NewRunID()
	stage, err := scene.Open(scene.Options{
		Known: known, Cluster: cluster, Agent: environment.AgentImage(), Progress: lines,
		Dir: filepath.Join("..", "..", "artifacts", id),
		Run: record.Run{
			Schema: record.Schema, ID: id, Seed: seed, Started: time.Now().UTC(), Plan: plan, Environment: described,
			Command: record.AgainstMutant(os.Getenv("MUTANT"), "ginkgo ./suites/traffic"),
		},
	})
	require.NoError(t, err)
	return stage
}

// finish sweeps and writes the record; `wayproof report` makes the rest of it.
func finish(t *testing.T, stage *scene.Scene, lines *progress.Lines) {
	t.Helper()
	if os.Getenv("KEEP") == "" {
		require.NoError(t, stage.Sweep(context.WithoutCancel(t.Context())))
	}
	worst := record.Held
	for _, verdict := range stage.Run().Verdicts {
		worst = record.Worst(worst, verdict.Verdict)
	}
	require.NoError(t, stage.Finish())
	require.NoError(t, stage.Exit(worst.ExitCode()))
	lines.Note("%s; make the reports: wayproof report %s", worst, filepath.Join("artifacts", filepath.Base(stage.Dir())))
}

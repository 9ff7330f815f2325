package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/ready"
)

// Bench is the mesh that upstream's suite is played on.
type Bench struct {
	Cluster  *kube.Cluster
	Owner    kube.Owner
	Gate     *ready.Gate
	Program  string // the compiled suite
	Echo     string // reference of the echo image; empty leaves upstream's
	Dir      string // gets what the suite prints, a file for each order
	Progress mesh.Progress

	labels   map[string]string
	enrolled *peer.Enrolment // nil while it is not known
}

// Lay has upstream apply what all its tests share, and enrols it.
func (b *Bench) Lay(ctx context.Context) (err error) {
	done := b.Progress.Step("upstream's namespaces, Services and pods")
	defer func() { done(err) }()
	if b.labels, err = b.namespaces(ctx); err != nil {
		return err
	}
	// The setup looks at no test, only at the features of those that are named.
	if _, err := b.order(ctx, peer.SpecSetup, nil, []string{"MeshBasic"}); err != nil {
		return err
	}
	return b.enrol(ctx, (*peer.Mutant)(nil).Enrol())
}

// Sound asks the mesh without a mutant.
func (b *Bench) Sound(ctx context.Context, tests []string) (outcomes []peer.Outcome, err error) {
	done := b.Progress.Step(fmt.Sprintf("the sound mesh, asked by %d of upstream's tests", len(tests)))
	defer func() { done(err) }()
	return b.ask(ctx, nil, tests)
}

// Mutants asks with one mutant after the other. What was not reached when ctx
// ended is told as such.
func (b *Bench) Mutants(ctx context.Context, mutants []peer.Mutant, sound []peer.Outcome) []peer.Result {
	var results []peer.Result
	for i, mutant := range mutants {
		done := b.Progress.Step(fmt.Sprintf("mutant %d of %d, %s: %s", i+1, len(mutants), mutant.Name, mutant.Title))
		result := b.one(ctx, &mutant, sound)
		failed := error(nil)
		if result.Verdict == peer.Failed {
			failed = errNotAsked
		}
		done(failed)
		b.Progress.Note("%s  %s  %s", result.Verdict, mutant.Name, result.Reason)
		results = append(results, result)
	}
	return results
}

var errNotAsked = errors.New("could not be asked")

func (b *Bench) one(ctx context.Context, mutant *peer.Mutant, sound []peer.Outcome) peer.Result {
	result := peer.Result{Mutant: mutant.Name, Title: mutant.Title}
	outcomes, err := b.ask(ctx, mutant, mutant.Tests)
	result.Tests, result.Verdict = outcomes, peer.Judge(*mutant, sound, outcomes)
	for _, outcome := range outcomes {
		result.Seconds += outcome.Seconds
	}
	switch {
	case err != nil:
		result.Verdict, result.Reason = peer.Failed, err.Error()
	case result.Verdict == peer.Failed:
		result.Reason = "a test failed without having got an answer: see " + b.logFile(mutant)
	}
	return result
}

// ask has tests played with a mutant, or without one.
func (b *Bench) ask(ctx context.Context, mutant *peer.Mutant, tests []string) ([]peer.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("not reached: %w", err)
	}
	if err := b.enrol(ctx, mutant.Enrol()); err != nil {
		return nil, err
	}
	return b.order(ctx, peer.SpecProfile, mutant, tests)
}

// order has the compiled suite play a spec, and keeps what it prints.
func (b *Bench) order(ctx context.Context, spec string, mutant *peer.Mutant, tests []string) ([]peer.Outcome, error) {
	log, err := os.OpenFile(b.logFile(mutant), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keep what upstream's suite prints: %w", err)
	}
	defer log.Close()
	order := peer.Order{Echo: b.Echo, Labels: b.labels, Tests: tests}
	order.Kubeconfig, order.Context = b.Cluster.Kubeconfig()
	if mutant != nil && mutant.Manifest != "" {
		order.Mutant = mutant.Name
	}
	return process{program: b.Program, log: log, tell: b.tell}.run(ctx, spec, order)
}

func (b *Bench) logFile(mutant *peer.Mutant) string {
	name := "sound"
	if mutant != nil {
		name = mutant.Name
	}
	return filepath.Join(b.Dir, name+".log")
}

func (b *Bench) tell(outcome peer.Outcome) {
	word := "passed"
	if !outcome.Passed {
		word = "FAILED"
	}
	took := time.Duration(outcome.Seconds * float64(time.Second))
	b.Progress.Note("%s %s in %s  %s", word, outcome.Test, took.Round(10*time.Millisecond), outcome.Reason)
}

// sweepWait bounds the removal of what was made.
const sweepWait = 5 * time.Minute

// Sweep removes everything that was made, also after ctx has ended.
func (b *Bench) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepWait)
	defer cancel()
	done := b.Progress.Step("remove upstream's namespaces")
	err := b.Cluster.Sweep(ctx, b.Owner.Run)
	done(err)
	if err != nil {
		return fmt.Errorf("remove what run %s made: %w", b.Owner.Run, err)
	}
	return nil
}

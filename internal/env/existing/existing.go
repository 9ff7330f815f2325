// Package existing is the environment for a cluster that somebody else runs: a
// kubeconfig, a preflight that says what is missing and how to mend it, and
// nothing else. It installs nothing, and what a run creates there is labelled
// and swept by package kube.
package existing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/record"
)

// Options name the cluster and what may be done there.
type Options struct {
	// Kubeconfig is a file; empty means the usual places.
	Kubeconfig string
	// Context is one of its contexts; empty means the current one.
	Context string
	// AgentImage is the reference under which the cluster can pull wayproof's
	// agent.
	AgentImage string
	// Adopt allows namespaces that are there already.
	Adopt bool
	// Namespaces are those that the suites will use.
	Namespaces []string
}

// Environment is an existing cluster. It implements mesh.Environment and
// mesh.AgentImager.
type Environment struct {
	options Options
	cluster *kube.Cluster
	pinned  string // a kubeconfig of our own where a context was named
}

var (
	_ mesh.Environment = (*Environment)(nil)
	_ mesh.AgentImager = (*Environment)(nil)
)

// New makes the environment without touching the cluster.
func New(options Options) *Environment { return &Environment{options: options} }

// Name is "existing".
func (e *Environment) Name() string { return "existing" }

// AgentImage is what the options say.
func (e *Environment) AgentImage() string { return e.options.AgentImage }

// Kubeconfig is a file whose current context is the cluster's, after Up.
func (e *Environment) Kubeconfig() string {
	if e.pinned != "" {
		return e.pinned
	}
	return e.options.Kubeconfig
}

// Context is the context that was named; empty means the file's current one.
func (e *Environment) Context() string { return e.options.Context }

// Up connects and runs the preflight. It changes nothing. What every suite
// needs and is missing is an error that names the remedies; what only some
// need is noted.
func (e *Environment) Up(ctx context.Context, progress mesh.Progress) error {
	done := progress.Step("preflight")
	err := e.preflight(ctx, progress)
	done(err)
	return err
}

func (e *Environment) preflight(ctx context.Context, progress mesh.Progress) error {
	if err := e.connect(ctx); err != nil {
		return err
	}
	if err := e.pin(); err != nil {
		return err
	}
	var fatal []error
	for _, finding := range Doctor(ctx, e.cluster, e.options) {
		switch {
		case finding.OK:
		case finding.Needed == Everything:
			fatal = append(fatal, errors.New(finding.String()))
		default:
			progress.Note("%s (needed by %s)", finding, finding.Needed)
		}
	}
	if len(fatal) > 0 {
		return fmt.Errorf("cluster %s is not ready for wayproof:\n%w", e.cluster.Host(), errors.Join(fatal...))
	}
	return nil
}

func (e *Environment) connect(ctx context.Context) error {
	if e.cluster != nil {
		return nil
	}
	cluster, err := kube.Connect(ctx, e.options.Kubeconfig, e.options.Context)
	if err != nil {
		return err
	}
	e.cluster = cluster
	return nil
}

// pin writes a kubeconfig with the named context as its current one, for
// whoever connects by Kubeconfig alone.
func (e *Environment) pin() error {
	if e.options.Context == "" || e.pinned != "" {
		return nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = e.options.Kubeconfig
	config, err := rules.Load()
	if err != nil {
		return fmt.Errorf("load kubeconfig: %w", err)
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return fmt.Errorf("resolve paths of kubeconfig: %w", err)
	}
	config.CurrentContext = e.options.Context
	directory, err := os.MkdirTemp("", "wayproof-kubeconfig-")
	if err != nil {
		return fmt.Errorf("make room for a kubeconfig: %w", err)
	}
	file := filepath.Join(directory, "config")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		return errors.Join(fmt.Errorf("write kubeconfig: %w", err), os.RemoveAll(directory))
	}
	e.pinned = file
	return nil
}

// Down removes what Up made: a kubeconfig of its own, nothing in the cluster.
func (e *Environment) Down(_ context.Context, _ mesh.Progress) error {
	if e.pinned == "" {
		return nil
	}
	if err := os.RemoveAll(filepath.Dir(e.pinned)); err != nil {
		return fmt.Errorf("remove kubeconfig: %w", err)
	}
	e.pinned = ""
	return nil
}

// Describe reads the cluster.
func (e *Environment) Describe(ctx context.Context) (record.Environment, error) {
	if err := e.connect(ctx); err != nil {
		return record.Environment{}, err
	}
	described, err := ambient.Describe(ctx, e.cluster)
	if err != nil {
		return described, err
	}
	described.Name = e.Name()
	for _, finding := range meshSettings(ctx, patient{cluster: e.cluster, options: e.options}) {
		if !finding.OK && finding.Needed == tracingTask {
			described.Lacks = append(described.Lacks, record.Lack{Ability: ambient.AbilityTracing, Reason: finding.Detail})
		}
	}
	return described, nil
}

// Finding is one thing that the preflight looked at.
type Finding = mesh.Finding

// Everything is the Needed of a check without which no suite can run.
const Everything = mesh.Everything

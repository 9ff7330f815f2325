// Package kind is the environment that wayproof makes for itself: a kind
// cluster with Istio ambient, from images that are pulled, built or given.
//
// It owns the cluster of its name from the first node container to the last
// kubeconfig entry, and touches no cluster that it did not make.
package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/engine"
	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/record"
)

// Options is what a user may choose of the environment.
type Options struct {
	Cluster    string // name of the kind cluster
	Kubeconfig string // file that gets the cluster's entry; empty means the user's own
	Config     []byte // kind configuration
	Images     string // auto | pull | build | archive
	Archive    string // folder of image archives; overrides single components of any source
	Istio      string // released version to pull
	Hub        string // where pulled Istio images come from; empty means the charts' own default
	Charts     string // repository that pulled charts come from; empty means Istio's own
	NodeImage  string // node image to pull; empty means kind's own
	Agent      string // agent image to pull instead of building it
	Keep       bool   // leave a cluster that could not be made for a look at it
	// Mesh holds what a user may choose of the mesh: ztunnel's namespace, the
	// Gateway API channel, a file of chart values. The image source fills the rest.
	Mesh ambient.Options
}

// DefaultCluster is the name of the cluster where none is given.
const DefaultCluster = "wayproof"

// Environment is the kind cluster of one name.
type Environment struct {
	options  Options
	cache    *image.Cache
	engine   string
	provider *cluster.Provider
	plan     plan
}

var (
	_ mesh.Environment = (*Environment)(nil)
	_ mesh.AgentImager = (*Environment)(nil)
	_ mesh.EchoLoader  = (*Environment)(nil)
)

// New prepares the environment; nothing is made before Up.
func New(options Options) (*Environment, error) {
	cache, err := image.UserCache()
	if err != nil {
		return nil, err
	}
	if options.Cluster == "" {
		options.Cluster = DefaultCluster
	}
	if options.Kubeconfig == "" {
		options.Kubeconfig = userKubeconfig()
	}
	return &Environment{options: options, cache: cache}, nil
}

// userKubeconfig is the file that kubectl would use.
func userKubeconfig() string {
	if path := os.Getenv("KUBECONFIG"); path != "" {
		return filepath.SplitList(path)[0]
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "kubeconfig"
	}
	return filepath.Join(home, ".kube", "config")
}

// Name says what kind of environment this is.
func (e *Environment) Name() string { return "kind" }

// Kubeconfig is the file with the cluster's entry.
func (e *Environment) Kubeconfig() string { return e.options.Kubeconfig }

// Context is the entry's name.
func (e *Environment) Context() string { return "kind-" + e.options.Cluster }

// AgentImage is the agent's reference on the nodes, known after Up.
func (e *Environment) AgentImage() string { return e.plan.agent }

func (e *Environment) stateDir() string { return filepath.Join(e.cache.Dir, "clusters") }

// Up makes the cluster and everything in it, or finds it healthy.
func (e *Environment) Up(ctx context.Context, progress mesh.Progress) error {
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := e.prepare(ctx, progress); err != nil {
		return err
	}
	known, err := e.ensureCluster(ctx, progress)
	if err != nil {
		return err
	}
	if err := e.furnish(ctx, known, progress); err != nil {
		return e.abandon(ctx, known, err)
	}
	return nil
}

// furnish gives a cluster its images and its mesh, where they are not there as
// the plan has them.
func (e *Environment) furnish(ctx context.Context, known *state, progress mesh.Progress) error {
	connected, err := kube.Connect(ctx, e.options.Kubeconfig, e.Context())
	if err != nil {
		return err
	}
	// The agent changes more often than the mesh does.
	if err := e.loadImages(ctx, progress); err != nil {
		return err
	}
	if known.Mesh == e.plan.meshKey && ambient.Healthy(ctx, connected) == nil {
		return nil
	}
	if err := known.unsettle(e.stateDir()); err != nil {
		return err
	}
	if err := ambient.Install(ctx, connected, e.plan.ambient, progress); err != nil {
		return err
	}
	known.Mesh, known.Source = e.plan.meshKey, e.plan.source
	return known.write(e.stateDir())
}

// prepare finds the engine and decides where every image comes from.
func (e *Environment) prepare(ctx context.Context, progress mesh.Progress) error {
	source, err := build.FindSource()
	if err != nil {
		source = "" // an engine that answers needs no checkout
	}
	name, err := engine.Ensure(ctx, source, progress)
	if err != nil {
		return err
	}
	e.use(name, progress)
	e.plan, err = e.resolve(ctx, progress)
	return err
}

// use settles on an engine.
func (e *Environment) use(name string, progress mesh.Progress) {
	e.engine = name
	option := cluster.ProviderWithDocker()
	if name == "podman" {
		option = cluster.ProviderWithPodman()
	}
	e.provider = cluster.NewProvider(option, cluster.ProviderWithLogger(logger{progress}))
}

// lockWait bounds how long one run waits for another that works on the same
// cluster: the longest a cold start may take.
const lockWait = 30 * time.Minute

// lock keeps two runs from making or removing one cluster at once.
func (e *Environment) lock(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(e.stateDir(), 0o755); err != nil {
		return nil, fmt.Errorf("make %s: %w", e.stateDir(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	path := statePath(e.stateDir(), e.options.Cluster) + ".lock"
	for {
		lock := flock.New(path)
		if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
			return nil, fmt.Errorf("wait for another run that works on cluster %s: %w", e.options.Cluster, err)
		}
		if stillThere(lock, path) {
			return func() { _ = lock.Unlock() }, nil
		}
		if err := lock.Unlock(); err != nil { // whoever held it removed the cluster, and the file with it
			return nil, fmt.Errorf("leave a lock that is gone: %w", err)
		}
	}
}

// lockPoll is how often a run looks whether the other one has finished.
const lockPoll = 500 * time.Millisecond

// stillThere says whether a file that is held open is the one at path.
func stillThere(held *flock.Flock, path string) bool {
	ours, err := held.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(ours, now)
}

// Down removes the cluster, the engine's network if it came with it, the
// kubeconfig entry, and what was remembered of it.
func (e *Environment) Down(ctx context.Context, progress mesh.Progress) error {
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := readState(e.stateDir(), e.options.Cluster)
	if err != nil {
		return err
	}
	if known == nil {
		progress.Note("no cluster %s of wayproof's making is known: nothing to remove", e.options.Cluster)
		return forget(e.stateDir(), e.options.Cluster)
	}
	name, err := engine.Name(ctx)
	if err != nil {
		return fmt.Errorf("remove cluster %s: no container engine answers: %w", e.options.Cluster, err)
	}
	e.use(name, progress)
	done := progress.Step("remove cluster " + e.options.Cluster)
	err = e.remove(ctx, known)
	done(err)
	return err
}

func (e *Environment) remove(ctx context.Context, known *state) error {
	err := e.provider.Delete(e.options.Cluster, known.Kubeconfig)
	if known.Network {
		err = errors.Join(err, e.removeNetwork(ctx))
	}
	if known.KubeconfigMade {
		err = errors.Join(err, removeEmpty(known.Kubeconfig))
	}
	if err != nil {
		return fmt.Errorf("remove cluster %s: %w", e.options.Cluster, err)
	}
	return forget(e.stateDir(), e.options.Cluster)
}

// removeEmpty removes a kubeconfig in which nothing is left.
func removeEmpty(kubeconfig string) error {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look what is left in kubeconfig %s: %w", kubeconfig, err)
	}
	if len(config.Clusters)+len(config.Contexts)+len(config.AuthInfos) > 0 {
		return nil
	}
	return os.Remove(kubeconfig)
}

// Describe reads what runs off the cluster.
func (e *Environment) Describe(ctx context.Context) (record.Environment, error) {
	connected, err := kube.Connect(ctx, e.options.Kubeconfig, e.Context())
	if err != nil {
		return record.Environment{}, err
	}
	described, err := ambient.Describe(ctx, connected)
	described.Name = e.Name()
	return described, err
}

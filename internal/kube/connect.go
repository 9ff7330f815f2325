package kube

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"
)

// answerWithin is how long an API server may take to say its version before
// it counts as not there.
const answerWithin = 5 * time.Second

// Cluster is one API server and the rights of one kubeconfig context on it. It
// is safe for use by several goroutines.
type Cluster struct {
	kubeconfig string
	context    string
	config     *rest.Config
	set        kubernetes.Interface
	objects    client.Client
	version    *version.Info
}

// Connect loads a kubeconfig and asks the API server for its version. An empty
// kubeconfig means the usual places (KUBECONFIG, then the home directory), an
// empty contextName the file's current context.
func Connect(ctx context.Context, kubeconfig, contextName string) (*Cluster, error) {
	config, err := load(kubeconfig, contextName)
	if err != nil {
		return nil, err
	}
	cluster, err := newCluster(config)
	if err != nil {
		return nil, fmt.Errorf("make clients for %s: %w", config.Host, err)
	}
	cluster.kubeconfig, cluster.context = kubeconfig, contextName
	if err := cluster.greet(ctx); err != nil {
		return nil, err
	}
	return cluster, nil
}

func load(kubeconfig, contextName string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if kubeconfig != "" {
		if _, err := os.Stat(kubeconfig); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("kubeconfig %s: no such file", kubeconfig)
		}
		rules.ExplicitPath = kubeconfig
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: contextName}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, fmt.Errorf("kubeconfig %q names no cluster: give one by --kubeconfig or KUBECONFIG", kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("load kubeconfig %q context %q: %w", kubeconfig, contextName, err)
	}
	// The defaults (5 per second) would make a harness that polls wait on itself.
	config.QPS, config.Burst = 100, 200
	config.UserAgent = "wayproof"
	config.WarningHandlerWithContext = warningsToContext{}
	return config, nil
}

func newCluster(config *rest.Config) (*Cluster, error) {
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client set: %w", err)
	}
	objects, err := resources.New(config)
	if err != nil {
		return nil, fmt.Errorf("object client: %w", err)
	}
	return &Cluster{config: config, set: set, objects: objects.GetControllerRuntimeClient()}, nil
}

func (c *Cluster) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	raw, err := c.set.Discovery().RESTClient().Get().AbsPath("/version").MaxRetries(0).DoRaw(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("api server %s does not answer within %s: is the cluster up, and is this the right kubeconfig?",
			c.config.Host, answerWithin)
	}
	if err != nil {
		return fmt.Errorf("ask api server %s for its version: %w", c.config.Host, err)
	}
	c.version = &version.Info{}
	return decodeJSON(raw, c.version, "version of "+c.config.Host)
}

// Kubeconfig is the file and context that Connect was given, either of which
// may be empty.
func (c *Cluster) Kubeconfig() (file, contextName string) { return c.kubeconfig, c.context }

// Host is the URL of the API server.
func (c *Cluster) Host() string { return c.config.Host }

// Version is the API server's, such as v1.36.3.
func (c *Cluster) Version() string { return c.version.GitVersion }

// Config is a copy of the connection's settings, for clients that need their own.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Set is the typed client.
func (c *Cluster) Set() kubernetes.Interface { return c.set }

// Objects is the client for objects of any kind.
func (c *Cluster) Objects() client.Client { return c.objects }

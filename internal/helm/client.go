package helm

import (
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Log receives Helm's own chatter; it may be nil.
type Log func(format string, args ...any)

// Client installs into one cluster.
type Client struct {
	config *rest.Config
	log    Log
}

// New makes a client for the cluster of a connection.
func New(config *rest.Config, log Log) *Client {
	if log == nil {
		log = func(string, ...any) {}
	}
	return &Client{config: config, log: log}
}

// in is Helm's configuration for one namespace. Discovery is asked anew each
// time: a cache would not know the definitions that the last chart brought.
func (c *Client) in(namespace string) (*action.Configuration, error) {
	access, err := newAccess(c.config, namespace)
	if err != nil {
		return nil, err
	}
	configuration := new(action.Configuration)
	if err := configuration.Init(access, namespace, "secret", action.DebugLog(c.log)); err != nil {
		return nil, fmt.Errorf("start helm in namespace %s: %w", namespace, err)
	}
	return configuration, nil
}

// access is how Helm reaches the cluster: in memory, without the cache on disk
// that kubectl's flags would leave in the home directory.
type access struct {
	config    *rest.Config
	namespace string
	cached    discovery.CachedDiscoveryInterface
}

func newAccess(config *rest.Config, namespace string) (*access, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	return &access{config: config, namespace: namespace, cached: memory.NewMemCacheClient(client)}, nil
}

func (a *access) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(a.config), nil }

func (a *access) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return a.cached, nil
}

func (a *access) ToRESTMapper() (meta.RESTMapper, error) {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(a.cached)
	return restmapper.NewShortcutExpander(mapper, a.cached, nil), nil
}

// ToRawKubeConfigLoader only tells Helm the namespace: the connection itself
// comes from ToRESTConfig.
func (a *access) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: a.namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), overrides)
}

package upstream

import (
	"fmt"
	"io/fs"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	meshtests "sigs.k8s.io/gateway-api/conformance/tests/mesh"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/wayproof/wayproof/internal/peer"
)

// ordered are upstream's tests of the given names, in upstream's order.
func ordered(names []string) ([]suite.ConformanceTest, error) {
	tests := slices.DeleteFunc(slices.Clone(meshtests.MeshConformanceTests), func(test suite.ConformanceTest) bool {
		return !slices.Contains(names, test.ShortName)
	})
	if len(tests) != len(names) {
		return nil, fmt.Errorf("upstream has %d of the tests %q", len(tests), names)
	}
	return tests, nil
}

// featuresOf is what the tests rely on. That it has no gateway in it keeps the
// suite from waiting for a class that ambient needs none of.
func featuresOf(tests []suite.ConformanceTest) []features.FeatureName {
	var needed []features.FeatureName
	for _, test := range tests {
		needed = append(needed, test.Features...)
	}
	slices.Sort(needed)
	return slices.Compact(needed)
}

// open makes a suite for an order. Upstream's deadlines stay as they are: 30 s
// for three right answers in a row.
func open(order peer.Order, tests []suite.ConformanceTest) (*suite.ConformanceTestSuite, error) {
	manifests, err := orderedManifests(order)
	if err != nil {
		return nil, err
	}
	config, err := connect(order)
	if err != nil {
		return nil, err
	}
	if err := apiextensionsv1.AddToScheme(scheme.Scheme); err != nil {
		return nil, fmt.Errorf("know custom resources: %w", err)
	}
	if err := gatewayv1.Install(scheme.Scheme); err != nil {
		return nil, fmt.Errorf("know the Gateway API: %w", err)
	}
	options := suite.ConformanceOptions{RestConfig: config, ManifestFS: []fs.FS{manifests}}
	options.NamespaceLabels, options.CleanupTestResources = order.Labels, true
	options.SupportedFeatures = featuresOf(tests)
	options.ConformanceProfiles = []suite.ConformanceProfileName{suite.MeshHTTPConformanceProfileName}
	if options.Client, err = client.New(config, options.ClientOptions); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if options.Clientset, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client set: %w", err)
	}
	opened, err := suite.NewConformanceTestSuite(options)
	if err != nil {
		return nil, fmt.Errorf("make upstream's suite: %w", err)
	}
	// Setup does this, and would take the waypoint's label off the namespace if it
	// were run again.
	opened.Applier.ManifestFS = opened.ManifestFS
	return opened, nil
}

func orderedManifests(order peer.Order) (fs.FS, error) {
	var mutant *peer.Mutant
	if order.Mutant != "" {
		var err error
		if mutant, err = peer.Find(order.Mutant); err != nil {
			return nil, err
		}
	}
	return Manifests(conformance.Manifests, order.Echo, mutant)
}

func connect(order peer.Order) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = order.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: order.Context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("load kubeconfig %q context %q: %w", order.Kubeconfig, order.Context, err)
	}
	config.QPS, config.Burst = 20, 30 // as where upstream reads its own flags
	return config, nil
}

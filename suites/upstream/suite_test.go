package upstream

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/sets"
	meshtests "sigs.k8s.io/gateway-api/conformance/tests/mesh"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/wayproof/wayproof/internal/peer"
)

// A new test of upstream's needs a place in the list, or a reason why it is none.
func TestTheProfileIsUpstreams(t *testing.T) {
	var listed []peer.Test
	for _, test := range meshtests.MeshConformanceTests {
		if reason, left := peer.NotRun()[test.ShortName]; left {
			assert.NotEmpty(t, reason, test.ShortName)
			continue
		}
		listed = append(listed, peer.Test{Name: test.ShortName, Group: group(test)})
	}
	assert.Equal(t, peer.Profile(), listed)
}

// group is how upstream counts a test: by the features that it relies on.
func group(test suite.ConformanceTest) string {
	needed, profile := sets.New(test.Features...), suite.MeshHTTPConformanceProfile
	switch {
	case profile.CoreFeatures.IsSuperset(needed):
		return peer.Core
	case profile.CoreFeatures.Union(profile.ExtendedFeatures).IsSuperset(needed):
		return peer.Extended
	}
	return peer.Beside
}

// A mutant is asked of every test that applies what it changes, and of no other.
func TestMutantsAreAskedOfTheTestsThatApplyThem(t *testing.T) {
	for _, mutant := range peer.Mutants() {
		if mutant.Manifest == "" {
			continue
		}
		var apply []string
		for _, test := range meshtests.MeshConformanceTests {
			if slices.Contains(test.Manifests, mutant.Manifest) {
				apply = append(apply, test.ShortName)
			}
		}
		assert.ElementsMatch(t, apply, mutant.Tests, mutant.Name)
	}
}

func TestNoTestNeedsAGateway(t *testing.T) {
	var names []string
	for _, test := range peer.Profile() {
		names = append(names, test.Name)
	}
	tests, err := ordered(names)
	require.NoError(t, err)
	needed := featuresOf(tests)
	assert.Contains(t, needed, features.SupportMesh)
	assert.NotContains(t, needed, features.SupportGateway)
	_, err = ordered([]string{"MeshBasic", "MeshNothing"})
	require.ErrorContains(t, err, "MeshNothing")
}

func TestNamespacesAreUpstreams(t *testing.T) {
	assert.Equal(t, suite.MeshNamespace, peer.Namespace)
	assert.Equal(t, suite.MeshConsumerNamespace, peer.Consumer)
}

func TestTheVersionIsUpstreams(t *testing.T) {
	assert.Equal(t, consts.BundleVersion, peer.Version)
}

//go:build cluster

package upstream

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"

	"github.com/wayproof/wayproof/internal/peer"
)

// begin makes the suite that `wayproof compare` has ordered, in a process of its
// own.
func begin(t *testing.T) (*suite.ConformanceTestSuite, []suite.ConformanceTest) {
	t.Helper()
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	order, err := peer.ReadOrder(os.Getenv(peer.OrderVariable))
	require.NoError(t, err, "wayproof compare starts this")
	tests, err := ordered(order.Tests)
	require.NoError(t, err)
	opened, err := open(order, tests)
	require.NoError(t, err)
	return opened, tests
}

// TestSetup applies what all tests share and waits for its pods.
func TestSetup(t *testing.T) {
	opened, tests := begin(t)
	opened.Setup(t, tests)
}

// TestProfile plays the ordered tests.
func TestProfile(t *testing.T) {
	opened, tests := begin(t)
	require.NoError(t, opened.Run(t, tests))
}

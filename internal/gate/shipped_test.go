package gate_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheShippedPolicyIsOne(t *testing.T) {
	text, err := os.ReadFile("../../deploy/gate.yaml")
	require.NoError(t, err)
	policyOf(t, string(text))
}

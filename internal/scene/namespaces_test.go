package scene

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamespacesAreThoseThatTheDemoMakes(t *testing.T) {
	names, err := Namespaces()
	require.NoError(t, err)
	assert.Equal(t, []string{"travel-agency", "travel-control", "travel-portal", "wayproof-load"}, names)
}

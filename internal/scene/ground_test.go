package scene

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/loadgen"
)

func TestTheLoadOnTheGroundCanBeDriven(t *testing.T) {
	load := catalogue.Footfall()
	load.IDPrefix = "r-ground"
	require.NoError(t, loadgen.Plan{Load: load}.Validate())
}

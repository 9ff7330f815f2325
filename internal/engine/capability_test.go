package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithheldCapabilities(t *testing.T) {
	for name, tc := range map[string]struct {
		status string
		want   []int
	}{
		"all there":          {"CapBnd:\t000001ffffffffff\n", []int{}},
		"no SYS_RESOURCE":    {"CapBnd:\t000001fffeffffff\n", []int{24}},
		"a container's few":  {"CapPrm:\t0\nCapBnd:\t000001fffffffffe\nCapAmb:\t0\n", []int{0}},
		"two and none above": {"CapBnd:\t000000fffeffffff\n", []int{24, 40}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := withheldCapabilities(tc.status, "40")
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
	_, err := withheldCapabilities("nothing", "40")
	require.Error(t, err)
}

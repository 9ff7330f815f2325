package engine

import (
	"os"
	"path/filepath"
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

func TestRemoveStalePID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "docker.pid")
	require.NoError(t, removeStalePID(path), "no file is no obstacle")
	require.NoError(t, os.WriteFile(path, []byte("1"), 0o600))
	require.NoError(t, removeStalePID(path), "the number belongs to another program")
	assert.NoFileExists(t, path)
}

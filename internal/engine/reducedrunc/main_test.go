package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReduceTakesOutWhatTheMachineWithholds(t *testing.T) {
	bounding, err := parseBounding("Name:\tx\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n")
	require.NoError(t, err)
	assert.False(t, bounding["CAP_SYS_RESOURCE"])
	assert.True(t, bounding["CAP_CHECKPOINT_RESTORE"])

	process := map[string]any{"args": []any{"sh"}, "capabilities": map[string]any{
		"bounding": []any{"CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"}, "ambient": nil,
	}}
	for name, tc := range map[string]struct {
		content any
		find    func(map[string]any) map[string]any
	}{
		"bundle": {map[string]any{"process": process}, inSpec},
		"exec":   {process, inProcess},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.json")
			content, err := json.Marshal(tc.content)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, content, 0o600))
			require.NoError(t, reduce(path, bounding, tc.find))

			var after map[string]any
			content, err = os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(content, &after))
			sets := tc.find(after)["capabilities"].(map[string]any)
			assert.Equal(t, []any{"CAP_CHOWN", "CAP_SYS_ADMIN"}, sets["bounding"])
			assert.Equal(t, []any{"sh"}, tc.find(after)["args"])
		})
	}
}

func TestReduceLeavesAProcessWithoutCapabilitiesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"process":{"args":["x"]}}`), 0o600))
	require.NoError(t, reduce(path, nil, inSpec))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.JSONEq(t, `{"process":{"args":["x"]}}`, string(content))
}

func TestOption(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"two words": {[]string{"--root", "/r", "create", "--bundle", "/b", "id"}, "/b"},
		"one word":  {[]string{"create", "--bundle=/b", "id"}, "/b"},
		"short":     {[]string{"create", "-b", "/b", "id"}, "/b"},
		"none":      {[]string{"delete", "id"}, ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, option(tc.args, "--bundle", "-b")) })
	}
}

package replay_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecordsOfEverySchemaReplay judges a record that was written when its
// schema was the newest. When the schema changes, add a folder; never rewrite
// an old one.
func TestRecordsOfEverySchemaReplay(t *testing.T) {
	result, err := again(t, "testdata/schema-1")
	require.NoError(t, err)
	assert.Empty(t, result.Differences)
	assert.Len(t, result.Verdicts, 4)
}

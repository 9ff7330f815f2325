package bench_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	command "github.com/wayproof/wayproof/cmd/agent/bench"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/bench"
)

func TestTheComparisonIsPrinted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c := command.Command()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs([]string{"--url", server.URL, "--rate", "400", "--hits", "80", "--clients", "2"})
	require.NoError(t, c.ExecuteContext(t.Context()))
	var got bench.Comparison
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, 80, got.Worker.Hits)
	assert.Equal(t, 80, got.Vegeta.Hits)
}

func TestOnlyTheClusterIsMeasured(t *testing.T) {
	c := command.Command()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs([]string{"--url", "http://example.com/"})
	require.ErrorIs(t, c.ExecuteContext(t.Context()), loadgen.ErrPlan)
}

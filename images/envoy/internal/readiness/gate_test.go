package readiness

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestGate(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	var standing []acceptance.Rejection
	gate := httptest.NewServer(Gate(agent.Listener.Addr().String(), func() []acceptance.Rejection { return standing }))
	defer gate.Close()

	code, body := get(t, gate.URL+Path)
	assert.Equal(t, http.StatusAccepted, code, "pilot-agent decides while nothing is rejected")
	assert.Equal(t, Path, body)

	standing = []acceptance.Rejection{{Type: "x/envoy.Listener", Name: "broken", Reason: "unknown filter"}}
	code, body = get(t, gate.URL+Path)
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "Listener broken: unknown filter")
	code, _ = get(t, gate.URL+"/stats/prometheus")
	assert.Equal(t, http.StatusAccepted, code, "other questions pass")

	standing = nil
	agent.Close()
	code, _ = get(t, gate.URL+Path)
	assert.Equal(t, http.StatusBadGateway, code, "no agent, not ready")
}

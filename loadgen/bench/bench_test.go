package bench_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/bench"
)

// server answers like a service of the fixture: some headers, half a kilobyte.
func server(tb testing.TB) string {
	tb.Helper()
	body := make([]byte, 512)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-wayproof-service", "cars")
		w.Header().Set("x-wayproof-version", "v1")
		w.Header().Set("x-wayproof-pod", "cars-v1-5d8f9b7c6-abcde")
		w.Header().Set("x-wayproof-peer", "10.244.1.17:43210")
		_, _ = w.Write(body)
	}))
	tb.Cleanup(s.Close)
	return s.URL
}

func plan(url string, rate float64, hits int) loadgen.Plan {
	return loadgen.Plan{Load: record.Load{
		Rate: rate, Hits: hits, Clients: 16, Timeout: 5 * time.Second, Connections: loadgen.KeepAlive,
		IDPrefix: "bench", Targets: []record.Target{{Method: http.MethodGet, URL: url}},
	}}
}

func TestPairRunsBothSidesToTheEnd(t *testing.T) {
	c, err := bench.Pair(t.Context(), plan(server(t), 500, 100))
	require.NoError(t, err)
	assert.Equal(t, 100, c.Vegeta.Hits)
	assert.Equal(t, 100, c.Worker.Hits)
	assert.Zero(t, c.Vegeta.Failed+c.Worker.Failed)
	assert.Positive(t, c.Ratio)
	assert.Empty(t, c.Health.Error)
}

func TestPairRefusesWhatItCannotCompare(t *testing.T) {
	p := plan("http://127.0.0.1:1/", 500, 100)
	p.Load.Targets = append(p.Load.Targets, p.Load.Targets[0])
	_, err := bench.Pair(t.Context(), p)
	require.ErrorIs(t, err, loadgen.ErrPlan)
}

// BenchmarkPair reports paired runs at rates that two cores sustain. Above that
// an open loop measures only how a queue grows.
func BenchmarkPair(b *testing.B) {
	for _, rate := range []float64{500, 1500, 3000} {
		b.Run(strconv.FormatFloat(rate, 'f', 0, 64), func(b *testing.B) {
			url := server(b)
			for b.Loop() {
				c, err := bench.Pair(b.Context(), plan(url, rate, int(3*rate)))
				require.NoError(b, err)
				b.ReportMetric(c.Vegeta.Rate, "vegeta/s")
				b.ReportMetric(c.Worker.Rate, "worker/s")
				b.ReportMetric(c.Ratio, "ratio")
				b.ReportMetric(float64(c.Health.LagP99.Microseconds()), "lag-p99-µs")
				b.ReportMetric(float64(c.Health.LagMax.Microseconds()), "lag-max-µs")
			}
		})
	}
}

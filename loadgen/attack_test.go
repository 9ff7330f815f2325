package loadgen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
)

func TestEveryRequestOfThePlanIsSentOnceOnSchedule(t *testing.T) {
	var seenIDs ids
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { seenIDs.note(r); ok(w, r) })
	plan := loadgen.Plan{Load: load(b.URL, 200, 60)}
	seen, health := attack(t, plan)

	require.Len(t, seen, 60)
	for i, o := range seen {
		assert.Equal(t, i, o.Seq)
		assert.Equal(t, plan.Intended(i), o.Intended)
		assert.Equal(t, time.Duration(i+1)*5*time.Millisecond, o.Intended)
		assert.GreaterOrEqual(t, o.Sent, o.Intended)
		assert.GreaterOrEqual(t, o.First, o.Sent)
		assert.GreaterOrEqual(t, o.Done, o.First)
		assert.Equal(t, 1, seenIDs.seen[fmt.Sprintf("test-%d", i)])
	}
	assert.Equal(t, record.Health{
		Planned: 60, Sent: 60, Completed: 60,
		LagP99: health.LagP99, LagMax: health.LagMax, Throttled: health.Throttled, Starved: health.Starved,
	}, health)
	assert.LessOrEqual(t, health.LagP99, health.LagMax)
}

func TestObservationSaysWhoAnsweredAndWhat(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"x-wayproof-service": "cars", "x-wayproof-version": "v2", "x-wayproof-pod": "cars-v2-abc",
			"x-wayproof-peer": "10.0.0.9:1234", "Server": "istio-envoy", "X-Kept": "yes", "X-Other": "no",
		} {
			w.Header().Set(name, value)
		}
		w.Header().Add("X-Kept", "twice")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(`{"a":1}`))
	})
	l := load(b.URL, 100, 2)
	l.Targets[0].Keep, l.Targets[0].KeepBody = []string{"X-Kept", "x-absent"}, true
	seen, _ := attack(t, loadgen.Plan{Load: l})

	o := seen[0]
	assert.Equal(t, "cars v2 cars-v2-abc 10.0.0.9:1234 istio-envoy",
		strings.Join([]string{o.Service, o.Version, o.Pod, o.Peer, o.Server}, " "))
	assert.Equal(t, map[string]string{"x-kept": "yes, twice"}, o.Header)
	assert.Equal(t, http.StatusTeapot, o.Status)
	assert.Equal(t, record.ClassOK, o.Class)
	assert.Equal(t, `{"a":1}`, o.Body)
	assert.Equal(t, 7, o.Bytes)
}

func TestRequestsAreAsTheTargetWritesThem(t *testing.T) {
	type got struct{ method, host, body, custom, requestID string }
	requests := make(chan got, 10)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		requests <- got{r.Method, r.Host, string(text), r.Header.Get("X-Portal"), r.Header.Get("X-Request-Id") + r.Header.Get("X-Vegeta-Seq")}
		ok(w, r)
	})
	l := load(b.URL, 100, 1)
	l.Targets[0] = record.Target{
		Method: http.MethodPost, URL: b.URL + "/x", Body: "hello",
		Header: map[string]string{"host": "cars.example", "x-portal": "web"},
	}
	attack(t, loadgen.Plan{Load: l})
	assert.Equal(t, got{http.MethodPost, "cars.example", "hello", "web", ""}, <-requests)
}

func TestTargetsTakeTurnsAndEveryClientAsksAll(t *testing.T) {
	b := newBackend(t, ok)
	l := load(b.URL, 1000, 24)
	l.Clients = 4
	l.Targets = append(l.Targets, record.Target{Method: http.MethodHead, URL: b.URL + "/two"})
	seen, _ := attack(t, loadgen.Plan{Load: l})
	pairs := map[[2]int]int{}
	for _, o := range seen {
		assert.Equal(t, o.Seq%2, o.Target)
		pairs[[2]int{o.Client, o.Target}]++
	}
	assert.Len(t, pairs, 8)
	for pair, n := range pairs {
		assert.Equal(t, 3, n, pair)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, location := range []string{"/elsewhere?q=1", "http://cars.example:8080/x", "http://[broken", ""} {
		t.Run(location, func(t *testing.T) {
			b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Location"] = []string{location}
				w.WriteHeader(http.StatusFound)
			})
			seen, health := attack(t, loadgen.Plan{Load: load(b.URL, 200, 3)})
			assert.EqualValues(t, 3, b.hits.Load())
			assert.Equal(t, http.StatusFound, seen[0].Status)
			assert.Equal(t, location, seen[0].Location)
			assert.Equal(t, record.ClassOK, seen[0].Class)
			assert.Empty(t, health.Error)
		})
	}
}

// vegeta's own latency hides nothing here only because its workers have no
// cap; the intended instant would show the stall in any case.
func TestAStallShowsInTheTailFromTheIntendedInstant(t *testing.T) {
	var gate sync.RWMutex // held while the server stalls
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { gate.RLock(); defer gate.RUnlock(); ok(w, r) })
	l := load(b.URL, 100, 250)
	l.Timeout = 10 * time.Second
	var seen []record.Observation
	stall := time.AfterFunc(300*time.Millisecond, func() {
		gate.Lock()
		time.AfterFunc(2*time.Second, gate.Unlock)
	})
	defer stall.Stop()
	health, err := loadgen.Attack(t.Context(), loadgen.Plan{Load: l}, func(o record.Observation) bool {
		seen = append(seen, o)
		return true
	})
	require.NoError(t, err)
	slices.SortFunc(seen, func(a, b record.Observation) int { return int(a.Latency() - b.Latency()) })
	p99 := seen[len(seen)*99/100].Latency()
	assert.Greater(t, p99, 1800*time.Millisecond)
	assert.Less(t, p99, 3*time.Second)
	assert.Less(t, health.LagMax, 1500*time.Millisecond, "the loop is open: requests went out on time all the same")
}

func TestATimeoutEndsAtTheTimeout(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, handle)
			l := load(b.URL, 100, 5)
			l.Timeout = 150 * time.Millisecond
			seen, health := attack(t, loadgen.Plan{Load: l})
			assert.Equal(t, map[record.Class]int{record.ClassTimeout: 5}, classes(seen))
			for _, o := range seen {
				assert.Equal(t, l.Timeout, o.Done-o.Sent)
			}
			assert.Equal(t, 5, health.Completed)
			assert.Empty(t, health.Error)
		})
	}
}

func TestTheSinkStopsTheAttack(t *testing.T) {
	b := newBackend(t, ok)
	calls := 0
	began := time.Now()
	health, err := loadgen.Attack(t.Context(), loadgen.Plan{Load: load(b.URL, 100, 100_000)}, func(record.Observation) bool {
		calls++
		return calls < 20
	})
	require.NoError(t, err)
	assert.True(t, health.Stopped)
	assert.Empty(t, health.Error)
	assert.Equal(t, health.Sent, calls, "what was under way is delivered")
	assert.Equal(t, health.Sent, health.Completed)
	assert.Less(t, health.Sent, 1000)
	assert.Less(t, time.Since(began), 5*time.Second)
}

func TestTheContextAbortsAtOnce(t *testing.T) {
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	l := load(b.URL, 50, 1000)
	why := errors.New("the node is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
	began := time.Now()
	var seen []record.Observation
	health, err := loadgen.Attack(ctx, loadgen.Plan{Load: l}, func(o record.Observation) bool {
		seen = append(seen, o)
		return true
	})
	require.ErrorIs(t, err, why)
	assert.Less(t, time.Since(began), 2*time.Second)
	assert.Equal(t, len(seen), classes(seen)[record.ClassCanceled])
	assert.Contains(t, health.Error, "aborted: the node is gone")
	assert.Less(t, health.Completed, health.Planned)
}

func TestASlowScheduleCanBeAborted(t *testing.T) {
	b := newBackend(t, ok)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := loadgen.Attack(ctx, loadgen.Plan{Load: load(b.URL, 0.1, 2)}, func(record.Observation) bool { return true })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), time.Second)
	assert.Zero(t, b.hits.Load())
}

func TestTheBarrierIsKept(t *testing.T) {
	b := newBackend(t, ok)
	start := time.Now().Add(400 * time.Millisecond).Round(0) // as decoded: without a monotonic reading
	seen, health := attack(t, loadgen.Plan{Load: load(b.URL, 100, 5), Start: start})
	assert.GreaterOrEqual(t, time.Since(start), seen[4].Done)
	assert.GreaterOrEqual(t, seen[0].Sent, 10*time.Millisecond)
	assert.Empty(t, health.Error)
}

func TestAGeneratorBehindScheduleSaysSo(t *testing.T) {
	for _, row := range []struct {
		pacing string
		sent   int // at most
	}{{loadgen.Repay, 200}, {loadgen.Skip, 120}} {
		t.Run(row.pacing, func(t *testing.T) {
			b := newBackend(t, ok)
			l := load(b.URL, 200, 200)
			l.Pacing = row.pacing
			seen, health := attack(t, loadgen.Plan{Load: l, Start: time.Now().Add(-500 * time.Millisecond)})
			assert.LessOrEqual(t, health.Sent, row.sent)
			assert.Equal(t, 200, health.Sent+health.Skipped)
			assert.Len(t, seen, health.Sent)
			if row.pacing == loadgen.Repay {
				assert.Greater(t, health.LagMax, 400*time.Millisecond)
				assert.Zero(t, health.Skipped)
			} else {
				assert.GreaterOrEqual(t, health.Skipped, 80, "half a second at 200 per second was over")
			}
			assert.Empty(t, health.Error, "skipped requests are accounted for")
		})
	}
}

func TestAttackersAreNotReused(t *testing.T) {
	b := httptest.NewServer(http.HandlerFunc(ok))
	defer b.Close()
	for range 3 {
		seen, health := attack(t, loadgen.Plan{Load: load(b.URL, 500, 50)})
		assert.Len(t, seen, 50)
		assert.Empty(t, health.Error)
	}
}

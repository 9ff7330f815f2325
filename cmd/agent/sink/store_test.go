package sink

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
)

// envoySpan is of the size and shape of a waypoint's.
func envoySpan(i int) span.Span {
	at := time.Unix(1_800_000_000, int64(i)*1000).UTC()
	return span.Span{
		TraceID: fmt.Sprintf("%032x", i*7919), SpanID: fmt.Sprintf("%016x", i*104729), Name: "cars.travel-agency.svc.cluster.local:8000/*",
		Kind: "server", Service: "waypoint.travel-agency", Start: at, End: at.Add(3 * time.Millisecond),
		Attributes: map[string]string{
			"node_id": "waypoint~10.244.1.9~waypoint-66d59898-abcde.travel-agency~travel-agency.svc.cluster.local", "zone": "",
			"guid:x-request-id": fmt.Sprintf("%08x-1111-4222-8333-%012x", i, i*31), "http.url": "http://cars.travel-agency:8000/cars/Madrid",
			"http.method": "GET", "downstream_cluster": "-", "user_agent": "Go-http-client/1.1", "http.protocol": "HTTP/1.1",
			"peer.address": "10.244.2.7", "request_size": "0", "response_size": "507", "component": "proxy", "http.status_code": "200",
			"upstream_cluster": "inbound-vip|8000|http|cars.travel-agency.svc.cluster.local;", "response_flags": "-",
			"istio.namespace": "travel-agency", "istio.mesh_id": "cluster.local", "istio.cluster_id": "Kubernetes", "x-wayproof-id": "t3-" + strconv.Itoa(i),
		},
	}
}

func fill(t *testing.T, s *store, n int) {
	t.Helper()
	batch := make([]span.Span, 0, 100)
	for i := range n {
		batch = append(batch, envoySpan(i))
		if len(batch) == cap(batch) || i == n-1 {
			require.NoError(t, s.add(batch))
			batch = batch[:0]
		}
	}
}

func numbers(t *testing.T, s *store, since uint64) []uint64 {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, s.write(&out, since))
	var got []uint64
	require.NoError(t, span.Read(&out, func(one span.Span) error {
		got = append(got, one.Number)
		return nil
	}))
	return got
}

func sequence(from, to uint64) []uint64 {
	var out []uint64
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

func newTestStore(t *testing.T, capacity int) *store {
	t.Helper()
	s, err := newStore(capacity)
	require.NoError(t, err)
	return s
}

func TestSpansAreGivenOutByNumber(t *testing.T) {
	s := newTestStore(t, 10_000)
	fill(t, s, 2*chunkSpans+10)
	last := uint64(2*chunkSpans + 10)
	for _, since := range []uint64{0, 1, chunkSpans - 1, chunkSpans, chunkSpans + 1, 2 * chunkSpans, last - 1, last, last + 5} {
		assert.Equal(t, sequence(since+1, last), numbers(t, s, since), "since %d", since)
	}
}

func TestTheOldestGiveWayAndAreCounted(t *testing.T) {
	const capacity = 2 * chunkSpans
	s := newTestStore(t, capacity)
	fill(t, s, 5*chunkSpans+1)
	stats := s.stats()
	assert.EqualValues(t, 5*chunkSpans+1, stats.Received)
	assert.Equal(t, stats.Received, uint64(stats.Held)+stats.Overflowed)
	assert.GreaterOrEqual(t, stats.Held, capacity)
	assert.LessOrEqual(t, stats.Held, capacity+chunkSpans)
	assert.Equal(t, sequence(stats.Overflowed+1, stats.Received), numbers(t, s, 0))
}

func TestClearingForgetsButDoesNotRenumber(t *testing.T) {
	s := newTestStore(t, 5000)
	fill(t, s, chunkSpans+5)
	s.clear()
	assert.Empty(t, numbers(t, s, 0))
	fill(t, s, 3)
	assert.Equal(t, sequence(chunkSpans+6, chunkSpans+8), numbers(t, s, 0))
	assert.Zero(t, s.stats().Overflowed)
}

func TestReadersAndExportersDoNotDisturbEachOther(t *testing.T) {
	s := newTestStore(t, 2*chunkSpans)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { fill(t, s, 2*chunkSpans) })
	}
	for range 20 {
		got := numbers(t, s, 0)
		for i := 1; i < len(got); i++ {
			assert.Equal(t, got[i-1]+1, got[i])
		}
	}
	all.Wait()
}

// A third of a gigabyte of spans has to fit a pod.
func TestCompressionKeepsTheStoreSmall(t *testing.T) {
	s := newTestStore(t, 300_000)
	const n = 20 * chunkSpans
	fill(t, s, n)
	packed := 0
	for _, c := range s.packed {
		packed += len(c.data)
	}
	perSpan := packed / n
	t.Logf("%d bytes per span, %d MB for 300,000", perSpan, perSpan*300_000>>20)
	assert.Less(t, perSpan, 150)
	runtime.KeepAlive(s)
}

package loadgen

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// A service of type ExternalName is a name inside that leads outside.
func TestANameInsideThatLeadsOutsideEndsTheAttack(t *testing.T) {
	gate, err := newGuard(nil)
	require.NoError(t, err)
	gate.lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil // TEST-NET-1, never routed
	}
	plan := Plan{Load: record.Load{
		Rate: 50, Hits: 1000, Clients: 1, Timeout: time.Second, Connections: KeepAlive, IDPrefix: "g",
		Targets: []record.Target{{Method: http.MethodGet, URL: "http://outside.travel-agency.svc/"}},
	}}
	health, err := attack(t.Context(), plan, gate, func(record.Observation) bool { return true })
	require.ErrorIs(t, err, ErrOutside)
	assert.ErrorContains(t, err, "192.0.2.1:80")
	assert.Contains(t, health.Error, "outside the cluster")
	assert.Less(t, health.Sent, 1000)
}

func TestLookupsAreRememberedAndFailuresAreNot(t *testing.T) {
	gate, err := newGuard(nil)
	require.NoError(t, err)
	var asked []string
	fail := true
	gate.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		asked = append(asked, host)
		if fail {
			return nil, context.DeadlineExceeded
		}
		return []netip.Addr{netip.MustParseAddr("10.96.0.7")}, nil
	}
	const name = "cars.travel-agency.svc.cluster.local"
	_, err = gate.resolve(t.Context(), name)
	require.Error(t, err)
	fail = false
	for range 3 {
		addrs, err := gate.resolve(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, "10.96.0.7", addrs[0].String())
	}
	assert.Equal(t, []string{name + ".", name + "."}, asked)
}

func TestInternalRanges(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.1.2.3": true, "172.16.0.1": true, "172.32.0.1": false, "192.168.9.9": true,
		"fd12::1": true, "fe80::1": false, "100.64.0.1": true, "100.128.0.1": false, "8.8.8.8": false,
		"169.254.169.254": false, "::ffff:8.8.8.8": false, "::ffff:10.0.0.1": true, "0.0.0.0": false, "2001:db8::1": false,
	} {
		assert.Equal(t, want, internal(netip.MustParseAddr(text)), text)
	}
}

func TestThrottlingIsReadFromEitherCgroupVersion(t *testing.T) {
	v2 := "usage_usec 100\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1500\n"
	v1 := "nr_periods 9\nnr_throttled 3\nthrottled_time 2500000\n"
	for name, row := range map[string]struct {
		files fstest.MapFS
		want  time.Duration
	}{
		"v2":             {fstest.MapFS{"cpu.stat": {Data: []byte(v2)}}, 1500 * time.Microsecond},
		"v1":             {fstest.MapFS{"cpu/cpu.stat": {Data: []byte(v1)}}, 2500 * time.Microsecond},
		"v1 joint mount": {fstest.MapFS{"cpu,cpuacct/cpu.stat": {Data: []byte(v1)}}, 2500 * time.Microsecond},
		"no quota":       {fstest.MapFS{"cpu.stat": {Data: []byte("usage_usec 100\n")}}, 0},
		"none":           {fstest.MapFS{}, 0},
		"garbage":        {fstest.MapFS{"cpu.stat": {Data: []byte("throttled_usec\nthrottled_usec many\n")}}, 0},
	} {
		assert.Equal(t, row.want, throttled(row.files), name)
	}
}

func TestHealthTellsWhatDoesNotAddUp(t *testing.T) {
	plan := Plan{Load: record.Load{Hits: 10}}
	for name, row := range map[string]struct {
		sent, completed, skipped int
		stopped                  bool
		want                     string
	}{
		"complete":   {10, 10, 0, false, ""},
		"short":      {9, 9, 0, false, "sent 9 and skipped 0 of 10 planned requests"},
		"skipped":    {7, 7, 3, false, ""},
		"stopped":    {4, 4, 0, true, ""},
		"unanswered": {10, 8, 0, false, "2 of 10 requests sent have no outcome of their own"},
	} {
		t.Run(name, func(t *testing.T) {
			tally := newTally(plan)
			tally.health.Sent, tally.health.Skipped, tally.health.Stopped = row.sent, row.skipped, row.stopped
			for range row.completed {
				tally.add(record.Observation{Class: record.ClassOK, Intended: 1, Sent: 3})
			}
			assert.Equal(t, row.want, tally.close(0).Error)
		})
	}
}

// A lost answer of DNS costs a resolver seconds; requests must not pay for it
// while an answer of a moment ago is at hand.
func TestRequestsDoNotWaitForARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, err := newGuard(nil)
		require.NoError(t, err)
		lost := false
		gate.lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) {
			if lost {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []netip.Addr{netip.MustParseAddr("10.96.0.7")}, nil
		}
		const name = "cars.travel-agency.svc"
		_, err = gate.resolve(t.Context(), name)
		require.NoError(t, err)
		lost = true
		for _, pass := range []struct {
			by   time.Duration
			fine bool
		}{{lookupTTL, true}, {lookupTTL, true}, {lookupGrace, false}} {
			<-time.After(pass.by)
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
			_, err := gate.resolve(ctx, name)
			cancel()
			if pass.fine {
				require.NoError(t, err)
				assert.Zero(t, time.Since(began))
				continue
			}
			require.ErrorIs(t, err, context.DeadlineExceeded, "a DNS that is gone shows")
		}
		<-time.After(2 * dialTimeout) // lookups under way end by themselves
	})
}

func TestNamesAreLearntBeforeTheScheduleBegins(t *testing.T) {
	for name, row := range map[string]struct {
		failures int
		err      error
		asked    int
	}{
		"at once":         {0, nil, 1},
		"after two lost":  {2, &net.DNSError{IsTimeout: true}, 3},
		"never":           {100, &net.DNSError{IsTimeout: true}, lookupTries},
		"no such service": {100, &net.DNSError{IsNotFound: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			gate, err := newGuard(nil)
			require.NoError(t, err)
			asked := 0
			gate.lookup = func(context.Context, string) ([]netip.Addr, error) {
				if asked++; asked <= row.failures {
					return nil, row.err
				}
				return []netip.Addr{netip.MustParseAddr("10.96.0.7")}, nil
			}
			targets, err := parseTargets(record.Load{Targets: []record.Target{{URL: "http://cars.travel-agency.svc:8000/"}}})
			require.NoError(t, err)
			gate.learn(t.Context(), targets)
			assert.Equal(t, row.asked, asked)
		})
	}
}

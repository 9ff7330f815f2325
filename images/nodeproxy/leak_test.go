package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/workloadapi/security"
)

// usage is what a pod might leave behind.
type usage struct{ files, namespaces, goroutines, threads int }

// measure collects garbage first: the standard library keeps pipes for splicing
// in a pool that only the collector empties.
func measure(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	u := usage{goroutines: runtime.NumGoroutine()}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil {
			continue // closed meanwhile, the folder's own descriptor above all
		}
		u.files++
		if strings.HasPrefix(target, "net:[") || strings.Contains(target, "/netns/") {
			u.namespaces++
		}
	}
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	u.threads = len(tasks)
	return u
}

// Two hundred pods come, are used and go; descriptors, goroutines and
// namespaces are counted before and after.
func TestPodsLeaveNothing(t *testing.T) {
	s := newStage(t)
	client, outside := s.captured(t, "client"), s.node.Pod(t, false)
	p := s.node.Pod(t, true)
	application(t, p, 8080)
	round := func(n int) {
		name := fmt.Sprintf("pod-%d", n)
		f := p.File(t)
		require.Empty(t, s.cni.Add(t, "uid-"+name, name, f))
		_ = f.Close()
		s.istiod.Put(t, name, workload(p, name, true))
		plain, _ := mustCall(t, outside, p.IP+":8080")
		tunneled, _ := mustCall(t, client, p.IP+":8080")
		if n%2 == 0 { // in every other round the connections are cut with the pod
			_, _ = plain.Close(), tunneled.Close()
		}
		require.Empty(t, s.cni.Delete(t, "uid-"+name))
		s.istiod.Remove("type.googleapis.com/istio.workload.Address", "Kubernetes//Pod/ns/"+name)
		_, _ = plain.Close(), tunneled.Close()
	}
	round(0)
	settle(t)
	before := measure(t)
	for n := range 200 {
		round(n + 1)
	}
	settle(t)
	after := measure(t)
	t.Logf("before %+v, after 200 pods %+v", before, after)
	assert.Equal(t, before.namespaces, after.namespaces)
	assert.LessOrEqual(t, after.files, before.files+8)
	assert.LessOrEqual(t, after.goroutines, before.goroutines+8)
	assert.LessOrEqual(t, after.threads, before.threads+16)
	assert.Len(t, s.dump(t).WorkloadState, 1)
}

// settle waits until two measurements agree.
func settle(t *testing.T) {
	t.Helper()
	last := measure(t)
	require.Eventually(t, func() bool {
		now := measure(t)
		same := now == last
		last = now
		return same
	}, 20*time.Second, 500*time.Millisecond)
}

// SIGTERM closes listeners, lets what runs go on, and ends when it has ended.
func TestDrain(t *testing.T) {
	s := newStage(t)
	client, server, outside := s.captured(t, "client"), s.captured(t, "server"), s.node.Pod(t, false)
	application(t, server, 8080)
	tunneled, _ := mustCall(t, client, server.IP+":8080")
	plain, _ := mustCall(t, outside, server.IP+":8080")
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	s.cni.Ended(t)
	require.Eventually(t, func() bool {
		_, _, err := call(t.Context(), outside, server.IP+":8080")
		return err != nil
	}, 10*time.Second, 10*time.Millisecond, "no new connections")
	for range 20 {
		echoed(t, tunneled, "still running")
		echoed(t, plain, "still running")
	}
	s.istiod.Put(t, "", strict(), &security.Authorization{Namespace: "ns", Name: "later"})
	require.Eventually(t, func() bool {
		_ = plain.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := plain.Read(make([]byte, 1))
		return err != nil && !os.IsTimeout(err)
	}, 5*time.Second, 10*time.Millisecond, "policies hold while draining")
	select {
	case <-s.ended:
		t.Fatal("ended before the last connection")
	default:
	}
	require.NoError(t, tunneled.Close())
	select {
	case err := <-s.ended:
		require.Error(t, err)
		s.ended <- err
	case <-time.After(10 * time.Second):
		t.Fatal("did not end after the last connection")
	}
}

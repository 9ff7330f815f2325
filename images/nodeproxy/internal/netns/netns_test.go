package netns_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
)

func open(t *testing.T, p *fakemesh.Pod) *netns.Namespace {
	t.Helper()
	ns, err := netns.Open(p.File(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

func TestDoReturnsHome(t *testing.T) {
	node := fakemesh.NewNode(t)
	ns := open(t, node.Pod(t, false))
	home, err := os.Readlink("/proc/thread-self/ns/net")
	require.NoError(t, err)
	for range 50 {
		require.NoError(t, ns.Do(func() error {
			there, err := os.Readlink("/proc/thread-self/ns/net")
			require.NoError(t, err)
			require.NotEqual(t, home, there)
			return nil
		}))
		here, err := os.Readlink("/proc/thread-self/ns/net")
		require.NoError(t, err)
		require.Equal(t, home, here)
	}
	assert.ErrorIs(t, ns.Do(func() error { return os.ErrExist }), os.ErrExist)
}

func TestIdentityOfNamespaces(t *testing.T) {
	node := fakemesh.NewNode(t)
	a, b := node.Pod(t, false), node.Pod(t, false)
	assert.Equal(t, open(t, a).ID(), open(t, a).ID())
	assert.NotEqual(t, open(t, a).ID(), open(t, b).ID())
}

func TestOriginalDestination(t *testing.T) {
	node := fakemesh.NewNode(t)
	pod, peer := node.Pod(t, true), node.Pod(t, false)
	ns := open(t, pod)
	for _, c := range []struct {
		name    string
		port    uint16
		from    *fakemesh.Pod
		address string
	}{
		{"redirected outbound", 15001, pod, "10.96.0.1:80"},
		{"redirected inbound", 15006, peer, pod.IP + ":8080"},
		{"not redirected", 15008, peer, pod.IP + ":15008"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := ns.Listen(t.Context(), c.port, true)
			require.NoError(t, err)
			defer l.Close()
			conn, err := c.from.Dial(t.Context(), c.address)
			require.NoError(t, err)
			defer conn.Close()
			accepted, err := l.Accept()
			require.NoError(t, err)
			defer accepted.Close()
			got, err := netns.OriginalDst(accepted.(*net.TCPConn))
			require.NoError(t, err)
			assert.Equal(t, c.address, got.String())
			assert.Equal(t, c.from.IP, netns.RemoteAddr(accepted).Addr().String())
		})
	}
}

func TestListenersAreShared(t *testing.T) {
	ns := open(t, fakemesh.NewNode(t).Pod(t, false))
	first, err := ns.Listen(t.Context(), 15001, true)
	require.NoError(t, err)
	defer first.Close()
	second, err := ns.Listen(t.Context(), 15001, true)
	require.NoError(t, err, "a successor may bind beside")
	defer second.Close()
	_, err = ns.Listen(t.Context(), 15001, false)
	require.ErrorContains(t, err, "address already in use")
}

func TestDialAppearsToComeFromTheSource(t *testing.T) {
	require.True(t, netns.CanSpoof())
	node := fakemesh.NewNode(t)
	pod, client := node.Pod(t, true), node.Pod(t, false)
	ns, l := open(t, pod), pod.Listen(t, 8080)
	to := netip.MustParseAddrPort(pod.IP + ":8080")
	for _, source := range []string{client.IP, "192.0.2.1", pod.IP} {
		conn, err := ns.Dial(t.Context(), to, netip.MustParseAddr(source))
		require.NoError(t, err, source)
		accepted, err := l.Accept()
		require.NoError(t, err)
		assert.Equal(t, source, netns.RemoteAddr(accepted).Addr().String())
		_, err = accepted.Write([]byte("back"))
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 4))
		require.NoError(t, err, "answers to %s find their way", source)
		_ = conn.Close()
		_ = accepted.Close()
	}
}

func TestDialFailures(t *testing.T) {
	ns := open(t, fakemesh.NewNode(t).Pod(t, false))
	_, err := ns.Dial(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), netip.Addr{})
	require.ErrorContains(t, err, "connection refused")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err = ns.Dial(ctx, netip.MustParseAddrPort("10.77.9.9:80"), netip.Addr{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(begun), 2*time.Second)
	_, err = ns.Dial(t.Context(), netip.MustParseAddrPort("[fd00::1]:80"), netip.Addr{})
	require.Error(t, err)

	before := descriptors(t)
	for range 50 {
		_, err = ns.Dial(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), netip.Addr{})
		require.Error(t, err)
	}
	assert.LessOrEqual(t, descriptors(t), before)
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	for _, path := range []string{"/dev/null", "/proc/self/ns/mnt", os.TempDir()} {
		f, err := os.Open(path)
		require.NoError(t, err)
		_, err = netns.Open(f)
		require.ErrorContains(t, err, "not a network namespace", path)
		_, err = f.Stat()
		require.ErrorIs(t, err, os.ErrClosed, "the descriptor is closed")
	}
}

func TestNamespaceThatWasClosed(t *testing.T) {
	node := fakemesh.NewNode(t)
	ns, err := netns.Open(node.Pod(t, false).File(t))
	require.NoError(t, err)
	require.NoError(t, ns.Close())
	err = ns.Do(func() error { return nil })
	require.Error(t, err)
	assert.True(t, strings.HasPrefix(err.Error(), "enter network namespace"), err)
}

// A listener that yields gets nothing more to lose when it is closed, unless it
// is the only one; so for one generation after the other.
func TestAListenerYieldsToItsSuccessor(t *testing.T) {
	node := fakemesh.NewNode(t)
	pod := node.Pod(t, false)
	ns := open(t, pod)
	old, err := ns.Listen(t.Context(), 15006, true)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, netns.Yield(old))
		call(t, pod, old) // no successor yet
		next, err := ns.Listen(t.Context(), 15006, true)
		require.NoError(t, err)
		require.NoError(t, netns.Yield(old))
		for range 20 {
			call(t, pod, next)
		}
		require.NoError(t, old.Close())
		old = next
	}
	call(t, pod, old)
	require.NoError(t, old.Close())
}

// call connects to port 15006 and requires that this listener gets it.
func call(t *testing.T, pod *fakemesh.Pod, l net.Listener) {
	t.Helper()
	conn, err := pod.Dial(t.Context(), pod.IP+":15006")
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(2*time.Second)))
	accepted, err := l.Accept()
	require.NoError(t, err)
	require.Equal(t, conn.LocalAddr().String(), netns.RemoteAddr(accepted).String())
	require.NoError(t, accepted.Close())
}

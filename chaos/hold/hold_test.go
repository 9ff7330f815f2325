//go:build linux

package hold

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// island moves the test to a network namespace of its own whose loopback packets
// go to a queue, and returns the namespace's file. The test is skipped where that
// takes rights or programs that are not there.
func island(t *testing.T, queue uint16) (network string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace can be made: %v", err)
	}
	for _, argv := range [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"iptables", "-t", "mangle", "-A", "OUTPUT", "-o", "lo", "-j", "NFQUEUE", "--queue-num", strconv.Itoa(int(queue)), "--queue-bypass"},
	} {
		if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v: %s", argv, err, out)
		}
	}
	return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid())
}

// exchange is how long a byte there and back takes over a connected pair of
// datagram sockets, made by the calling thread: goroutines of package net could
// be moved to a thread outside.
func exchange(t *testing.T) time.Duration {
	t.Helper()
	packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer packets.Close()
	client, err := net.Dial("udp4", packets.LocalAddr().String())
	require.NoError(t, err)
	defer client.Close()
	start := time.Now()
	require.NoError(t, client.SetDeadline(start.Add(10*time.Second)))
	require.NoError(t, packets.SetDeadline(start.Add(10*time.Second)))
	sent := bytes.Repeat([]byte("x"), 100)
	_, err = client.Write(sent)
	require.NoError(t, err)
	buffer := make([]byte, 200)
	n, from, err := packets.ReadFrom(buffer)
	require.NoError(t, err)
	_, err = packets.WriteTo(buffer[:n], from)
	require.NoError(t, err)
	back := make([]byte, n)
	_, err = io.ReadFull(client, back)
	require.NoError(t, err)
	assert.Equal(t, sent, back)
	return time.Since(start)
}

func TestEachPacketIsHeldAndNoneIsLost(t *testing.T) {
	const queue, by = 7021, 60 * time.Millisecond
	network := island(t, queue)
	assert.Less(t, exchange(t), by, "with nobody at the queue packets pass")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Hold(ctx, Order{Network: network, Queue: queue, By: by}) }()
	require.Eventually(t, func() bool {
		table, err := os.ReadFile(strings.TrimSuffix(network, "ns/net") + "net/netfilter/nfnetlink_queue")
		return err == nil && len(table) > 0
	}, 5*time.Second, 5*time.Millisecond)
	for range 3 {
		took := exchange(t)
		assert.GreaterOrEqual(t, took, 2*by, "there and back")
		assert.Less(t, took, 2*by+time.Second)
	}
	cancel()
	require.NoError(t, <-ended)
	assert.Less(t, exchange(t), by, "packets pass again")
}

func TestANamespaceThatIsNotThere(t *testing.T) {
	err := Hold(t.Context(), Order{Network: "/proc/0/ns/net", Queue: 1, By: time.Second})
	require.ErrorContains(t, err, "network namespace")
}

package fakemesh

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
)

// Sniffer looks for bytes in every frame that crosses the node's bridge.
type Sniffer struct {
	frames, hits atomic.Int64
	file         *os.File
	done         chan struct{}
}

// Sniff captures until Stop.
func (n *Node) Sniff(t testing.TB, needle []byte) *Sniffer {
	t.Helper()
	f, err := os.Open("/var/run/netns/" + n.name)
	require.NoError(t, err)
	ns, err := netns.Open(f)
	require.NoError(t, err)
	defer ns.Close()
	s := &Sniffer{done: make(chan struct{})}
	require.NoError(t, ns.Do(func() error {
		const allProtocols = 0x0300 // ETH_P_ALL in network byte order
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, allProtocols)
		s.file = os.NewFile(uintptr(fd), "packets")
		return err
	}))
	go s.read(needle)
	return s
}

func (s *Sniffer) read(needle []byte) {
	defer close(s.done)
	buffer := make([]byte, 1<<17)
	for {
		n, err := s.file.Read(buffer)
		if errors.Is(err, unix.ENETDOWN) {
			continue
		}
		if err != nil {
			return
		}
		s.frames.Add(1)
		if bytes.Contains(buffer[:n], needle) {
			s.hits.Add(1)
		}
	}
}

// Stop returns how many frames were seen and how many held the bytes.
func (s *Sniffer) Stop(t testing.TB) (frames, hits int64) {
	t.Helper()
	require.NoError(t, s.file.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	<-s.done
	require.NoError(t, s.file.Close())
	return s.frames.Load(), s.hits.Load()
}

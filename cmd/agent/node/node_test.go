package node

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarkersAreSeenInClear(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a packet socket")
	}
	input, end := io.Pipe()
	output, out := io.Pipe()
	command := Command()
	command.SetArgs([]string{"sniff", "--marker", "a-marker-that-is-sent,one-that-is-not"})
	command.SetIn(input)
	command.SetOut(out)
	failed := make(chan error, 1)
	go func() { failed <- command.ExecuteContext(t.Context()) }()
	lines := bufio.NewReader(output)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, Listening+"\n", first)

	send(t, "this is a-marker-that-is-sent\n")
	require.NoError(t, end.Close())
	var sight Sight
	require.NoError(t, json.NewDecoder(lines).Decode(&sight))
	require.NoError(t, <-failed)
	assert.Positive(t, sight.Seen["a-marker-that-is-sent"])
	assert.Zero(t, sight.Seen["one-that-is-not"])
	assert.GreaterOrEqual(t, sight.Packets, sight.Seen["a-marker-that-is-sent"])
}

// send carries text over loopback and waits until it has arrived.
func send(t *testing.T, text string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	to, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(to, text)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	from, err := listener.Accept()
	require.NoError(t, err)
	defer func() { _ = from.Close() }()
	got, err := io.ReadAll(from)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func TestPortsOfPackets(t *testing.T) {
	v4 := make([]byte, 44)
	v4[0], v4[9] = 0x46, 6 // a header of six words
	copy(v4[24:], []byte{0x3a, 0xa0, 0x00, 0x50})
	v6 := make([]byte, 60)
	v6[0], v6[6] = 0x60, 6
	copy(v6[40:], []byte{0x00, 0x50, 0x3a, 0xa0})
	sight := Sight{}
	for _, packet := range [][]byte{v4, v6, v4[:30], make([]byte, 60), nil} {
		sight.look(packet)
	}
	assert.Equal(t, Sight{Packets: 5, Tunnel: 2}, sight)
	from, to, ok := tcpPorts(v6)
	assert.True(t, ok)
	assert.Equal(t, []uint16{80, 15008}, []uint16{from, to})
}

func TestHandlesOfThisProcess(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	name := strings.TrimSpace(string(comm))
	before := mine(t, name)
	namespace, err := os.Open("/proc/self/ns/net")
	require.NoError(t, err)
	after := mine(t, name)
	require.NoError(t, namespace.Close())
	assert.Equal(t, before.Namespaces+1, after.Namespaces)
	assert.Equal(t, before.Files+1, after.Files)
	assert.Positive(t, after.Threads)
	assert.Positive(t, after.Memory)
}

func mine(t *testing.T, name string) Handles {
	t.Helper()
	var out bytes.Buffer
	command := Command()
	command.SetArgs([]string{"handles", "--program", name})
	command.SetOut(&out)
	require.NoError(t, command.ExecuteContext(t.Context()))
	var all []Handles
	require.NoError(t, json.Unmarshal(out.Bytes(), &all))
	for _, held := range all {
		if held.PID == os.Getpid() {
			return held
		}
	}
	t.Fatalf("process %d is not among %v", os.Getpid(), all)
	return Handles{}
}

func TestAProcessThatEndsMeanwhileIsPassedOver(t *testing.T) {
	proc := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(proc, "17"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "17", "comm"), []byte("ztunnel\n"), 0o600))
	found, err := handles(proc, []string{"ztunnel"})
	require.NoError(t, err)
	assert.Empty(t, found)
}

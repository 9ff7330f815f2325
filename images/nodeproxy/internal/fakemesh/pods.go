package fakemesh

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
)

// Node is a network namespace with a bridge that pods are plugged into.
type Node struct {
	name string
	next atomic.Int32
}

// NewNode skips the test, with the reason, where it cannot be had.
func NewNode(t testing.TB) *Node {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("network namespaces need the tool %s: %v", tool, err)
		}
	}
	n := &Node{name: fmt.Sprintf("np%d-%d", os.Getpid(), nodeNumber(t))}
	namespace(t, n.name)
	inside(t, n.name, "ip link add br0 type bridge")
	inside(t, n.name, "ip addr add 10.77.0.1/16 dev br0")
	inside(t, n.name, "ip link set br0 up")
	return n
}

// nodeNumber tells apart the nodes of concurrent tests of one process.
func nodeNumber(t testing.TB) uint32 {
	var sum uint32
	for _, c := range t.Name() {
		sum = sum*31 + uint32(c)
	}
	return sum % 100000
}

func namespace(t testing.TB, name string) {
	t.Helper()
	run(t, "ip netns add "+name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	inside(t, name, "ip link set lo up")
}

func run(t testing.TB, line string) {
	t.Helper()
	words := strings.Fields(line)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)
}

func inside(t testing.TB, name, line string) {
	t.Helper()
	run(t, "ip netns exec "+name+" "+line)
}

// Pod is a network namespace with an address on the node's bridge.
type Pod struct {
	IP   string
	name string
	ns   *netns.Namespace
}

// Pod makes one; a captured one has istio-cni's rules.
func (n *Node) Pod(t testing.TB, captured bool) *Pod {
	t.Helper()
	number := n.next.Add(1)
	p := &Pod{IP: fmt.Sprintf("10.77.1.%d", number), name: fmt.Sprintf("%s-p%d", n.name, number)}
	namespace(t, p.name)
	run(t, fmt.Sprintf("ip -n %s link add v%d type veth peer name eth0 netns %s", n.name, number, p.name))
	inside(t, n.name, fmt.Sprintf("ip link set v%d master br0 up", number))
	inside(t, p.name, "ip addr add "+p.IP+"/16 dev eth0")
	inside(t, p.name, "ip link set eth0 up")
	inside(t, p.name, "ip route add default via 10.77.0.1")
	if captured {
		p.capture(t)
	}
	ns, err := netns.Open(p.File(t))
	require.NoError(t, err)
	p.ns = ns
	t.Cleanup(func() { _ = ns.Close() })
	return p
}

// capture writes the rules of istio-cni for one pod (IPv4, without DNS).
func (p *Pod) capture(t testing.TB) {
	t.Helper()
	for _, line := range []string{
		"iptables -t mangle -A PREROUTING -m mark --mark 0x539/0xfff -j CONNMARK --set-xmark 0x111/0xfff",
		"iptables -t mangle -A OUTPUT -m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
		"iptables -t nat -A PREROUTING -s 169.254.7.127 -p tcp -j ACCEPT",
		"iptables -t nat -A PREROUTING ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m mark ! --mark 0x539/0xfff -j REDIRECT --to-ports 15006",
		"iptables -t nat -A OUTPUT -d 169.254.7.127 -p tcp -j ACCEPT",
		"iptables -t nat -A OUTPUT -p tcp -m mark --mark 0x111/0xfff -j ACCEPT",
		"iptables -t nat -A OUTPUT ! -d 127.0.0.1/32 -o lo -j ACCEPT",
		"iptables -t nat -A OUTPUT ! -d 127.0.0.1/32 -p tcp -m mark ! --mark 0x539/0xfff -j REDIRECT --to-ports 15001",
		"ip rule add fwmark 0x111/0xfff pref 32764 lookup 100",
		"ip route add local 0.0.0.0/0 dev lo table 100",
	} {
		inside(t, p.name, line)
	}
}

// File opens the namespace, as istio-cni does before it passes it on.
func (p *Pod) File(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Open("/var/run/netns/" + p.name)
	require.NoError(t, err)
	return f
}

// Listen serves as an application of the pod.
func (p *Pod) Listen(t testing.TB, port int) net.Listener {
	t.Helper()
	var l net.Listener
	require.NoError(t, p.ns.Do(func() (err error) {
		l, err = net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port))
		return err
	}))
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// Dial connects as an application of the pod.
func (p *Pod) Dial(ctx context.Context, address string) (net.Conn, error) {
	var conn net.Conn
	err := p.ns.Do(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp", address)
		return err
	})
	return conn, err
}

package netns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listen opens a TCP listener on all addresses of the namespace. With
// shareable set, a successor process may bind the same port during hand-over.
func (n *Namespace) Listen(ctx context.Context, port uint16, shareable bool) (net.Listener, error) {
	config := net.ListenConfig{
		Control: func(_, _ string, raw syscall.RawConn) error { return prepareListener(raw, shareable) },
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepaliveIdle, Interval: keepaliveInterval, Count: keepaliveCount,
		},
	}
	// A multipath listener has no original destination to ask for.
	config.SetMultipathTCP(false)
	var listener net.Listener
	err := n.Do(func() (err error) {
		listener, err = config.Listen(ctx, "tcp", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		if listener != nil { // it was opened, and the way back failed
			_ = listener.Close()
		}
		return nil, fmt.Errorf("listen on port %d in network namespace %d: %w", port, n.id.Inode, err)
	}
	return listener, nil
}

func prepareListener(raw syscall.RawConn, shareable bool) error {
	options := []option{{unix.SOL_SOCKET, unix.SO_MARK, Mark}}
	if shareable {
		options = append(options, option{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1})
	}
	var setErr error
	err := raw.Control(func(fd uintptr) { setErr = setOptions(int(fd), options...) })
	if err != nil {
		return fmt.Errorf("reach listener's socket: %w", err)
	}
	return setErr
}

// Yield has the kernel give further connections to the listener that bound the
// same port second, a successor's. Closing a listener resets what the kernel
// has queued on it, so the last connections are to be taken after this and
// before Close. Without a successor nothing changes.
func Yield(l net.Listener) error {
	// The listeners of a port stand in a row in the order of their binding, and
	// this program picks the second; where there is none the kernel falls back
	// to its own choice. Of three generations the oldest is gone before the
	// youngest comes.
	second := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1}}
	program := unix.SockFprog{Len: uint16(len(second)), Filter: &second[0]}
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return fmt.Errorf("reach listener's socket: %w", err)
	}
	var setErr error
	err = raw.Control(func(fd uintptr) {
		setErr = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
	})
	if err = errors.Join(err, setErr); err != nil {
		return fmt.Errorf("leave connections to %s to the successor: %w", l.Addr(), err)
	}
	return nil
}

// LocalAddr is the address a connection was accepted on, an IPv4 one as such
// even on a dual-stack listener.
func LocalAddr(conn net.Conn) netip.AddrPort { return plain(conn.LocalAddr()) }

// RemoteAddr is the peer's address in the same form.
func RemoteAddr(conn net.Conn) netip.AddrPort { return plain(conn.RemoteAddr()) }

func plain(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// OriginalDst is where a redirected connection was meant to go. A connection
// that was not redirected was meant for its local address.
func OriginalDst(conn *net.TCPConn) (netip.AddrPort, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reach accepted socket: %w", err)
	}
	var dst netip.AddrPort
	var sockErr error
	err = raw.Control(func(fd uintptr) { dst, sockErr = originalDst(int(fd)) })
	switch {
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("reach accepted socket: %w", err)
	case sockErr != nil && notRedirected(sockErr):
		return LocalAddr(conn), nil
	case sockErr != nil:
		return netip.AddrPort{}, fmt.Errorf("read original destination: %w", sockErr)
	}
	return dst, nil
}

// originalDst asks for both families, since a dual-stack listener holds IPv4
// peers too. The two x/sys getters are used for their sizes: each returns a
// struct that begins with the socket address the kernel writes.
func originalDst(fd int) (netip.AddrPort, error) {
	v4, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, unix.SO_ORIGINAL_DST)
	if err == nil && binary.NativeEndian.Uint16(v4.Multiaddr[0:2]) == unix.AF_INET {
		ip := netip.AddrFrom4([4]byte(v4.Multiaddr[4:8]))
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(v4.Multiaddr[2:4])), nil
	}
	v6, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, solIPv6OriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	// The port lies in network byte order in a field of native order.
	port := (*[2]byte)(unsafe.Pointer(&v6.Addr.Port))
	return netip.AddrPortFrom(netip.AddrFrom16(v6.Addr.Addr).Unmap(), binary.BigEndian.Uint16(port[:])), nil
}

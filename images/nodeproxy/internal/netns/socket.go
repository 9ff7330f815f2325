package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Mark is what istio-cni's rules take for the proxy's own packets: they are
// not redirected, and connections to the application get connmark 0x111.
const Mark = 0x539

const (
	keepaliveIdle     = 180 * time.Second
	keepaliveInterval = 180 * time.Second
	keepaliveCount    = 9
)

// solIPv6OriginalDst is IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv6, which
// x/sys does not carry; its value equals SO_ORIGINAL_DST.
const solIPv6OriginalDst = 80

type option struct{ level, name, value int }

func setOptions(fd int, options ...option) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("set socket option %d/%d to %d: %w", o.level, o.name, o.value, err)
		}
	}
	return nil
}

func upstreamOptions() []option {
	return []option{
		{unix.SOL_SOCKET, unix.SO_MARK, Mark},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepaliveIdle.Seconds())},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepaliveInterval.Seconds())},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepaliveCount},
	}
}

func transparentOptions(source netip.Addr) []option {
	if source.Is4() {
		return []option{{unix.SOL_IP, unix.IP_TRANSPARENT, 1}, {unix.SOL_IP, unix.IP_FREEBIND, 1}}
	}
	return []option{{unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1}, {unix.SOL_IPV6, unix.IPV6_FREEBIND, 1}}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// CanSpoof tells whether this process may bind to addresses it does not own,
// which keeping the client's address towards the application needs.
func CanSpoof() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer closeFD(fd)
	return unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1) == nil
}

// closeFD drops a socket that never carried data: nothing can be lost by an
// error here.
func closeFD(fd int) { _ = unix.Close(fd) }

// notRedirected recognises the kernel's answers for a connection without a NAT entry.
func notRedirected(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOPROTOOPT) ||
		errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL)
}

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ConnectTimeout bounds every connection the proxy opens.
const ConnectTimeout = 10 * time.Second

// Dial opens a TCP connection from inside the namespace. A valid source makes
// the connection appear to come from there (the port is the kernel's choice);
// without one the pod's own address is used.
//
// The namespace is left before the connection is established: the socket stays
// where it was made, and no thread waits for the peer.
func (n *Namespace) Dial(ctx context.Context, to netip.AddrPort, source netip.Addr) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	fd := -1
	err := n.Do(func() (err error) {
		fd, err = newSocket(to, source)
		return err
	})
	if err != nil {
		if fd >= 0 { // the socket was made, and the way back failed
			closeFD(fd)
		}
		return nil, fmt.Errorf("connect to %s: %w", to, err)
	}
	conn, err := connect(ctx, fd, to)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", to, err)
	}
	return conn, nil
}

func newSocket(to netip.AddrPort, source netip.Addr) (int, error) {
	flags := unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	fd, err := unix.Socket(family(to.Addr()), flags, unix.IPPROTO_TCP)
	if err != nil {
		return -1, fmt.Errorf("make socket: %w", err)
	}
	if err := prepareUpstream(fd, to, source); err != nil {
		closeFD(fd)
		return -1, err
	}
	return fd, nil
}

func prepareUpstream(fd int, to netip.AddrPort, source netip.Addr) error {
	if err := setOptions(fd, upstreamOptions()...); err != nil {
		return err
	}
	// A pod calling itself has its own address already.
	if !source.IsValid() || source == to.Addr() || source.Is4() != to.Addr().Is4() {
		return nil
	}
	if err := setOptions(fd, transparentOptions(source)...); err != nil {
		return err
	}
	if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(source, 0))); err != nil {
		return fmt.Errorf("bind to client's address %s: %w", source, err)
	}
	return nil
}

// connect owns fd. The call is begun before the socket is given to the
// runtime's poller, which would take an idle socket for one that hung up.
func connect(ctx context.Context, fd int, to netip.AddrPort) (*net.TCPConn, error) {
	err := unix.Connect(fd, sockaddr(to))
	file := os.NewFile(uintptr(fd), "tcp:"+to.String())
	defer file.Close()
	if err != nil && !errors.Is(err, unix.EINPROGRESS) && !errors.Is(err, unix.EINTR) {
		return nil, err
	}
	if err := established(ctx, file); err != nil {
		return nil, err
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("adopt socket: %w", err)
	}
	return conn.(*net.TCPConn), nil
}

func established(ctx context.Context, file *os.File) error {
	stop := context.AfterFunc(ctx, func() { _ = file.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	raw, err := file.SyscallConn()
	if err != nil {
		return fmt.Errorf("reach socket: %w", err)
	}
	var failure error
	err = raw.Write(func(fd uintptr) (done bool) {
		done, failure = progress(int(fd))
		return done
	})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(err, failure)
}

// progress asks the kernel how a connection that was begun is getting on.
func progress(fd int) (done bool, err error) {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return true, fmt.Errorf("read socket state: %w", err)
	}
	if code != 0 {
		return true, unix.Errno(code)
	}
	_, err = unix.Getpeername(fd)
	return err == nil, nil
}

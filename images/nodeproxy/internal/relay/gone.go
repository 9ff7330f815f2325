package relay

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// isGone recognises the errors of shutting down a connection that the peer, or
// this side, has closed already.
func isGone(err error) bool {
	return errors.Is(err, syscall.ENOTCONN) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

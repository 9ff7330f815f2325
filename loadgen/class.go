package loadgen

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"syscall"

	"github.com/wayproof/wayproof/internal/record"
)

// classify names why an exchange failed. ended is the error of the exchange's
// own context, which knows best: net/http words the same timeout in many ways
// depending on where it struck.
func classify(err, ended error) record.Class {
	switch {
	case err == nil:
		return record.ClassOK
	case errors.Is(ended, context.DeadlineExceeded):
		return record.ClassTimeout
	case ended != nil:
		return record.ClassCanceled
	default:
		return classifyNetwork(err)
	}
}

func classifyNetwork(err error) record.Class {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return record.ClassDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return record.ClassRefused
	case dialing(err):
		return record.ClassDial
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return record.ClassReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), hungUp(err):
		return record.ClassEOF
	case timedOut(err):
		return record.ClassTimeout
	case malformed(err):
		return record.ClassProtocol
	default:
		return record.ClassOther
	}
}

func dialing(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// hungUp knows the one error for which net/http exports neither value nor type:
// a server that closed a kept connection as a request went out on it.
func hungUp(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}

// malformed covers answers that are not HTTP. net/http has exported types for
// some of these errors only, and the word "malformed" for the rest.
func malformed(err error) bool {
	var protocol *http.ProtocolError
	var text textproto.ProtocolError
	if errors.As(err, &protocol) || errors.As(err, &text) {
		return true
	}
	said := err.Error()
	return strings.Contains(said, "malformed") || strings.Contains(said, "transport connection broken") ||
		strings.Contains(said, "invalid byte in chunk length")
}

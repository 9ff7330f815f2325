package hbone

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

const (
	serverStreams = 200
	// The connection's window is a multiple of the stream's: otherwise one
	// stream that is not read would hold up all others.
	streamWindow     = 4 << 20
	connectionWindow = 16 << 20
)

// Call is one CONNECT of an authenticated peer.
type Call struct {
	Peer      spiffe.ID
	Remote    netip.AddrPort // the TCP peer
	Local     netip.AddrPort // the address the peer connected to
	Authority netip.AddrPort
	Header    http.Header
}

// Handler serves calls. It answers each exactly once, and returns when both
// directions of an accepted one have ended.
type Handler interface {
	Handle(ctx context.Context, call Call, answer Answer)
	// Refused is told of a request that is no call, after it was answered. The
	// call has only its peers.
	Refused(ctx context.Context, call Call, reason error)
}

// Answer is how a handler replies to a call.
type Answer interface {
	// Accept tells the peer that its destination is connected.
	Accept() (relay.Duplex, error)
	// Refuse ends the call with a status other than 200.
	Refuse(status int, reason error)
}

// Server accepts tunnels for one pod.
type Server struct {
	// HandshakeTimeout bounds how long a peer may take to prove itself.
	HandshakeTimeout time.Duration

	http     *http.Server
	http2    *http2.Server
	calls    Handler
	draining atomic.Bool
}

// NewServer hands calls to a handler. What goes wrong inside HTTP/2 is written
// to faults.
func NewServer(calls Handler, faults *log.Logger) (*Server, error) {
	s := &Server{HandshakeTimeout: handshakeTimeout, http: &http.Server{ErrorLog: faults}, calls: calls, http2: &http2.Server{
		MaxConcurrentStreams:         serverStreams,
		MaxUploadBufferPerStream:     streamWindow,
		MaxUploadBufferPerConnection: connectionWindow,
		ReadIdleTimeout:              pingInterval,
		PingTimeout:                  pingTimeout,
	}}
	if err := http2.ConfigureServer(s.http, s.http2); err != nil {
		return nil, fmt.Errorf("configure HTTP/2 server: %w", err)
	}
	return s, nil
}

// Serve handles one connection until its end. It owns the connection.
func (s *Server) Serve(ctx context.Context, raw net.Conn, config *tls.Config) error {
	defer raw.Close()
	secured := tls.Server(raw, config)
	shakeCtx, cancel := context.WithTimeout(ctx, s.HandshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(shakeCtx); err != nil {
		return fmt.Errorf("TLS with %s: %w", raw.RemoteAddr(), err)
	}
	peer, err := spiffe.OfCertificate(secured.ConnectionState().PeerCertificates[0])
	if err != nil {
		return fmt.Errorf("peer %s: %w", raw.RemoteAddr(), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	s.http2.ServeConn(secured, &http2.ServeConnOpts{
		Context:    ctx,
		BaseConfig: s.http,
		Handler:    s.handler(peer, raw),
	})
	return nil
}

func (s *Server) handler(peer spiffe.ID, raw net.Conn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, err := newCall(peer, raw, r)
		reply := &answer{writer: w, request: r}
		if s.draining.Load() { // a connection that was still shaking hands when Drain told the others
			w.Header().Set("Connection", "close")
		}
		if err != nil {
			reply.Refuse(http.StatusBadRequest, err)
			s.calls.Refused(r.Context(), call, err)
			return
		}
		s.calls.Handle(r.Context(), call, reply)
	})
}

type answer struct {
	writer  http.ResponseWriter
	request *http.Request
}

func (a *answer) Accept() (relay.Duplex, error) {
	stream := newServerStream(a.writer, a.request)
	a.writer.WriteHeader(http.StatusOK)
	if err := stream.flusher.Flush(); err != nil {
		return nil, fmt.Errorf("answer CONNECT: %w", err)
	}
	return stream, nil
}

func (a *answer) Refuse(status int, reason error) {
	http.Error(a.writer, reason.Error(), status)
}

func newCall(peer spiffe.ID, raw net.Conn, r *http.Request) (Call, error) {
	call := Call{Peer: peer, Remote: netns.RemoteAddr(raw), Local: netns.LocalAddr(raw), Header: r.Header}
	if r.Method != http.MethodConnect {
		return call, fmt.Errorf("method %s, want CONNECT", r.Method)
	}
	authority, err := netip.ParseAddrPort(r.Host)
	if err != nil {
		return call, fmt.Errorf("authority %q is not an address and a port", r.Host)
	}
	call.Authority = netip.AddrPortFrom(authority.Addr().Unmap(), authority.Port())
	return call, nil
}

// Drain tells all peers to open no further streams; those that are open go on.
func (s *Server) Drain(ctx context.Context) {
	s.draining.Store(true)
	ended, cancel := context.WithCancel(ctx)
	cancel() // the streams are waited for elsewhere
	_ = s.http.Shutdown(ended)
}

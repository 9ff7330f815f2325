package hbone

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"

	"golang.org/x/net/http2"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/relay"
)

// Target is what a tunnel is asked to reach beyond its hop.
type Target struct {
	Authority netip.AddrPort
	Headers   http.Header
}

// Refused is the answer of a peer that will not tunnel.
type Refused struct {
	Hop    netip.AddrPort
	Status int
}

func (r *Refused) Error() string {
	return fmt.Sprintf("peer %s answered CONNECT with %d", r.Hop, r.Status)
}

// attempts bounds how often a CONNECT is sent that a connection did not answer
// because it was ending.
const attempts = 5

// Tunnel opens a stream to the target. The context bounds the opening only.
func (p *Pool) Tunnel(ctx context.Context, hop Hop, config *tls.Config, target Target) (relay.Duplex, error) {
	stream, err := p.stream(ctx, hop, config, target)
	if err != nil {
		return nil, fmt.Errorf("tunnel to %s via %s: %w", target.Authority, hop.Addr, err)
	}
	if stream.status != http.StatusOK {
		_ = stream.Close()
		return nil, &Refused{Hop: hop.Addr, Status: stream.status}
	}
	return &stream.clientStream, nil
}

// stream asks again on another connection when a peer that is being replaced
// says goodbye while the CONNECT is on its way. None of the client's bytes have
// been sent by then, so nothing can happen twice.
func (p *Pool) stream(ctx context.Context, hop Hop, config *tls.Config, target Target) (*answered, error) {
	for attempt := 1; ; attempt++ {
		cc, err := p.acquire(ctx, hop, config)
		if err != nil {
			return nil, err
		}
		stream, err := open(ctx, cc, target)
		if err == nil || ctx.Err() != nil || attempt == attempts || !cc.State().Closing {
			return stream, err
		}
	}
}

type answered struct {
	clientStream
	status int
}

// open sends nothing of the client's before the answer is there: its bytes go
// into the pipe only after the caller has the stream.
func open(ctx context.Context, cc *http2.ClientConn, target Target) (*answered, error) {
	streamCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	body, upload := io.Pipe()
	request := (&http.Request{
		Method:        http.MethodConnect,
		URL:           &url.URL{Host: target.Authority.String()},
		Host:          target.Authority.String(),
		Header:        target.Headers,
		Body:          body,
		ContentLength: -1,
	}).WithContext(streamCtx)
	response, err := cc.RoundTrip(request)
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	if !stop() {
		cancel()
		_ = response.Body.Close()
		return nil, context.Cause(ctx)
	}
	return &answered{
		clientStream: clientStream{download: response.Body, upload: upload, cancel: cancel},
		status:       response.StatusCode,
	}, nil
}

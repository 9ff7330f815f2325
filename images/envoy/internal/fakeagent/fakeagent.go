// Package fakeagent is a discovery server in pilot-agent's place for tests of the adapter: it sends
// what the test hands it and hands the test what it receives. No part of the product uses it.
package fakeagent

import (
	"fmt"
	"math"
	"net"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
)

// Agent serves both discovery protocols. Everything a stream receives appears on its request channel,
// everything put into its response channel is sent on the stream that is open.
type Agent struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer

	DeltaRequests  chan *discovery.DeltaDiscoveryRequest
	DeltaResponses chan *discovery.DeltaDiscoveryResponse
	WholeRequests  chan *discovery.DiscoveryRequest
	WholeResponses chan *discovery.DiscoveryResponse
	// HangUp ends the open stream with the status put into it.
	HangUp chan error

	server *grpc.Server
}

// Start listens on the unix socket at path.
func Start(path string) (*Agent, error) {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen in pilot-agent's place: %w", err)
	}
	a := &Agent{
		DeltaRequests:  make(chan *discovery.DeltaDiscoveryRequest, 100),
		DeltaResponses: make(chan *discovery.DeltaDiscoveryResponse, 100),
		WholeRequests:  make(chan *discovery.DiscoveryRequest, 100),
		WholeResponses: make(chan *discovery.DiscoveryResponse, 100),
		HangUp:         make(chan error, 1),
		server:         grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32)),
	}
	discovery.RegisterAggregatedDiscoveryServiceServer(a.server, a)
	go func() { _ = a.server.Serve(listener) }() // ends with Stop
	return a, nil
}

// Stop closes the socket and every stream.
func (a *Agent) Stop() { a.server.Stop() }

// DeltaAggregatedResources serves a delta stream.
func (a *Agent) DeltaAggregatedResources(stream discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return serve(stream, a.DeltaRequests, a.DeltaResponses, a.HangUp)
}

// StreamAggregatedResources serves a state-of-the-world stream.
func (a *Agent) StreamAggregatedResources(stream discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return serve(stream, a.WholeRequests, a.WholeResponses, a.HangUp)
}

type stream[Request, Response any] interface {
	Recv() (*Request, error)
	Send(*Response) error
}

func serve[Request, Response any](s stream[Request, Response], in chan<- *Request, out <-chan *Response, hangUp <-chan error) error {
	ended := make(chan error, 1)
	go func() {
		for {
			request, err := s.Recv()
			if err != nil {
				ended <- err
				return
			}
			in <- request
		}
	}()
	for {
		select {
		case err := <-ended:
			return err
		case err := <-hangUp:
			return err
		case response := <-out:
			if err := s.Send(response); err != nil {
				return err
			}
		}
	}
}

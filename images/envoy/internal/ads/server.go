// Package ads stands between Envoy and pilot-agent in the aggregated discovery service, delta and
// state of the world alike. Responses are rewritten on their way to Envoy, requests go up as they are,
// rejections included. It caches nothing and answers nothing itself.
package ads

import (
	"context"
	"fmt"
	"log/slog"
	"math"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
	"github.com/wayproof/wayproof/images/envoy/internal/rewrite"
)

// maxMessage is gRPC's limit for one message in bytes, the same as pilot-agent's.
const maxMessage = math.MaxInt32

// Server is the discovery server that Envoy talks to.
type Server struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer

	Agent    discovery.AggregatedDiscoveryServiceClient
	Rewriter *rewrite.Rewriter
	Ledger   *acceptance.Ledger
	// Recorder, if set, keeps each response as it came from pilot-agent.
	Recorder *Recorder
	Journal  *Journal
}

// Dial prepares the connection to pilot-agent's unix socket at the absolute path. It connects with the
// first stream.
func Dial(path string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("unix://"+path,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("prepare connection to discovery socket %s: %w", path, err)
	}
	return conn, nil
}

// NewGRPC makes the gRPC server that serves s.
func NewGRPC(s *Server) *grpc.Server {
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	discovery.RegisterAggregatedDiscoveryServiceServer(server, s)
	return server
}

// StreamAggregatedResources relays a state-of-the-world stream.
func (s *Server) StreamAggregatedResources(envoy discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	ctx, cancel := context.WithCancel(envoy.Context())
	defer cancel()
	agent, err := s.Agent.StreamAggregatedResources(ctx)
	if err != nil {
		return err
	}
	account := s.Ledger.Open()
	return link[discovery.DiscoveryRequest, discovery.DiscoveryResponse]{
		envoy: envoy, agent: agent,
		onRequest: func(request *discovery.DiscoveryRequest) {
			s.Journal.outcome(request.GetTypeUrl(), account.Received(wholeAnswer(request)))
		},
		onResponse: func(response *discovery.DiscoveryResponse) {
			s.record(response.GetTypeUrl(), response)
			s.rewrite(response.GetResources())
			account.Sent(acceptance.Response{Type: response.GetTypeUrl(), Nonce: response.GetNonce(), Whole: true})
		},
	}.run()
}

// DeltaAggregatedResources relays a delta stream.
func (s *Server) DeltaAggregatedResources(envoy discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	ctx, cancel := context.WithCancel(envoy.Context())
	defer cancel()
	agent, err := s.Agent.DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	account := s.Ledger.Open()
	return link[discovery.DeltaDiscoveryRequest, discovery.DeltaDiscoveryResponse]{
		envoy: envoy, agent: agent,
		onRequest: func(request *discovery.DeltaDiscoveryRequest) {
			s.Journal.outcome(request.GetTypeUrl(), account.Received(deltaAnswer(request)))
		},
		onResponse: func(response *discovery.DeltaDiscoveryResponse) {
			s.record(response.GetTypeUrl(), response)
			s.rewrite(packed(response))
			account.Sent(acceptance.Response{
				Type: response.GetTypeUrl(), Nonce: response.GetNonce(), Names: resourceNames(response),
			})
		},
	}.run()
}

func (s *Server) rewrite(resources []*anypb.Any) {
	for _, resource := range resources {
		s.Journal.changed(s.Rewriter.Resource(resource))
	}
}

func (s *Server) record(typeURL string, response recordable) {
	if s.Recorder == nil {
		return
	}
	if err := s.Recorder.write(typeURL, response); err != nil {
		s.Journal.log.Error("recording failed", slog.Any("error", err))
	}
}

package ads

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
	"github.com/wayproof/wayproof/images/envoy/internal/fakeagent"
	"github.com/wayproof/wayproof/images/envoy/internal/rewrite"
)

const listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener"

// chain is the whole path on real unix sockets: a client in Envoy's place, the server under test, and
// an agent.
type chain struct {
	agent      *fakeagent.Agent
	envoy      discovery.AggregatedDiscoveryServiceClient
	ledger     *acceptance.Ledger
	recordings string
	log        *bytes.Buffer
}

func newChain(t *testing.T) chain {
	t.Helper()
	dir, err := os.MkdirTemp("", "ads") // a socket's path has to be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	c := chain{ledger: acceptance.NewLedger(), recordings: filepath.Join(dir, "rec"), log: &bytes.Buffer{}}
	c.agent, err = fakeagent.Start(filepath.Join(dir, "agent"))
	require.NoError(t, err)
	t.Cleanup(c.agent.Stop)
	upstream, err := Dial(filepath.Join(dir, "agent"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, upstream.Close()) })
	rewriter, err := rewrite.New()
	require.NoError(t, err)
	recorder, err := NewRecorder(c.recordings)
	require.NoError(t, err)
	server := NewGRPC(&Server{
		Agent: discovery.NewAggregatedDiscoveryServiceClient(upstream), Rewriter: rewriter, Ledger: c.ledger,
		Recorder: recorder, Journal: NewJournal(slog.New(slog.NewTextHandler(c.log, nil))),
	})
	socket, err := net.Listen("unix", filepath.Join(dir, "envoy"))
	require.NoError(t, err)
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(server.Stop)
	downstream, err := Dial(filepath.Join(dir, "envoy"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, downstream.Close()) })
	c.envoy = discovery.NewAggregatedDiscoveryServiceClient(downstream)
	return c
}

func receive[M any](t *testing.T, from <-chan M) M {
	t.Helper()
	select {
	case message := <-from:
		return message
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing arrived within 10 s")
		panic("unreachable")
	}
}

// foreignListener has one network filter of Istio's and is named name.
func foreignListener(t *testing.T, name string) *anypb.Any {
	t.Helper()
	resource, err := anypb.New(&listener.Listener{Name: name, FilterChains: []*listener.FilterChain{{Filters: []*listener.Filter{
		{Name: "f", ConfigType: &listener.Filter_TypedConfig{TypedConfig: &anypb.Any{TypeUrl: "x/stats.PluginConfig"}}},
	}}}})
	require.NoError(t, err)
	return resource
}

func TestDeltaStream(t *testing.T) {
	c := newChain(t)
	stream, err := c.envoy.DeltaAggregatedResources(t.Context())
	require.NoError(t, err)
	opening := &discovery.DeltaDiscoveryRequest{TypeUrl: listenerType, ResourceNamesSubscribe: []string{"*"}}
	require.NoError(t, stream.Send(opening))
	assert.True(t, proto.Equal(opening, receive(t, c.agent.DeltaRequests)))

	plain := &anypb.Any{TypeUrl: "x/example.Unknown", Value: []byte("istio.\xff")}
	sent := &discovery.DeltaDiscoveryResponse{TypeUrl: listenerType, Nonce: "1", SystemVersionInfo: "v", Resources: []*discovery.Resource{
		{Name: "l", Version: "7", Resource: foreignListener(t, "l")}, {Name: "u", Resource: plain}, {Name: "heartbeat"},
	}, RemovedResources: []string{"gone"}}
	c.agent.DeltaResponses <- proto.CloneOf(sent)
	got, err := stream.Recv()
	require.NoError(t, err)
	assert.NotContains(t, string(got.GetResources()[0].GetResource().GetValue()), "stats.PluginConfig")
	assert.True(t, proto.Equal(sent.GetResources()[1], got.GetResources()[1]))
	sent.Resources[0].Resource, got.Resources[0].Resource = nil, nil
	assert.True(t, proto.Equal(sent, got), "all else is as it was")

	nack := &discovery.DeltaDiscoveryRequest{TypeUrl: listenerType, ResponseNonce: "1", ErrorDetail: &rpc.Status{Code: 13, Message: "listener l: no"}}
	require.NoError(t, stream.Send(nack))
	assert.True(t, proto.Equal(nack, receive(t, c.agent.DeltaRequests)), "the agent learns of the rejection")
	require.Len(t, c.ledger.Standing(), 1)
	assert.Equal(t, "Listener l: listener l: no", c.ledger.Standing()[0].String())

	c.agent.DeltaResponses <- &discovery.DeltaDiscoveryResponse{TypeUrl: listenerType, Nonce: "2", RemovedResources: []string{"l"}}
	_, err = stream.Recv()
	require.NoError(t, err)
	require.NoError(t, stream.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: listenerType, ResponseNonce: "2"}))
	receive(t, c.agent.DeltaRequests)
	assert.Empty(t, c.ledger.Standing())
}

func TestWholeStreamAndItsRecordings(t *testing.T) {
	c := newChain(t)
	stream, err := c.envoy.StreamAggregatedResources(t.Context())
	require.NoError(t, err)
	secret := &discovery.DiscoveryResponse{TypeUrl: "x/envoy.extensions.transport_sockets.tls.v3.Secret", Nonce: "0"}
	c.agent.WholeResponses <- secret
	sent := &discovery.DiscoveryResponse{TypeUrl: listenerType, Nonce: "1", Resources: []*anypb.Any{foreignListener(t, "l"), foreignListener(t, "m")}}
	c.agent.WholeResponses <- proto.CloneOf(sent)
	_, err = stream.Recv()
	require.NoError(t, err)
	got, err := stream.Recv()
	require.NoError(t, err)
	assert.NotContains(t, got.String(), "stats.PluginConfig")

	require.NoError(t, stream.Send(&discovery.DiscoveryRequest{TypeUrl: listenerType, ResponseNonce: "1", ErrorDetail: &rpc.Status{Message: "no"}}))
	assert.Equal(t, "no", receive(t, c.agent.WholeRequests).GetErrorDetail().GetMessage())
	assert.Len(t, c.ledger.Standing(), 1)

	files, err := filepath.Glob(filepath.Join(c.recordings, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(c.recordings, "0001-Listener-DiscoveryResponse.binpb")}, files, "no secrets")
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	recorded := &discovery.DiscoveryResponse{}
	require.NoError(t, proto.Unmarshal(raw, recorded))
	assert.True(t, proto.Equal(sent, recorded), "recorded as it came")
}

func TestLogNamesEachKindOfChangeOnce(t *testing.T) {
	c := newChain(t)
	stream, err := c.envoy.StreamAggregatedResources(t.Context())
	require.NoError(t, err)
	for range 3 {
		c.agent.WholeResponses <- &discovery.DiscoveryResponse{TypeUrl: listenerType, Nonce: "1", Resources: []*anypb.Any{foreignListener(t, "l")}}
		_, err = stream.Recv()
		require.NoError(t, err)
	}
	assert.Equal(t, 1, strings.Count(c.log.String(), `msg="dropped network filter" name=stats.PluginConfig`), c.log.String())
}

func TestStreamsEndForTheAgentsReason(t *testing.T) {
	c := newChain(t)
	stream, err := c.envoy.DeltaAggregatedResources(t.Context())
	require.NoError(t, err)
	c.agent.HangUp <- status.Error(codes.ResourceExhausted, "go elsewhere")
	_, err = stream.Recv()
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.ErrorContains(t, err, "go elsewhere")

	stream, err = c.envoy.DeltaAggregatedResources(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.CloseSend())
	_, err = stream.Recv()
	assert.ErrorContains(t, err, "EOF", "a half-closed stream reaches the agent, which ends it")

	c.agent.Stop()
	stream, err = c.envoy.DeltaAggregatedResources(t.Context())
	require.NoError(t, err)
	_, err = stream.Recv()
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.NotErrorIs(t, err, io.EOF)
}

func TestMessagesBeyondTheDefaultLimitPass(t *testing.T) {
	c := newChain(t)
	stream, err := c.envoy.DeltaAggregatedResources(t.Context())
	require.NoError(t, err)
	big := &anypb.Any{TypeUrl: "x/example.Big", Value: make([]byte, 24<<20)}
	c.agent.DeltaResponses <- &discovery.DeltaDiscoveryResponse{TypeUrl: big.GetTypeUrl(), Resources: []*discovery.Resource{{Name: "b", Resource: big}}}
	got, err := stream.Recv()
	require.NoError(t, err)
	assert.Len(t, got.GetResources()[0].GetResource().GetValue(), 24<<20)
}

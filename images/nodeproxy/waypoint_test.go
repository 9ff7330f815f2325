package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// waypoint answers every tunnel itself with what it was asked for.
type waypoint struct{ calls atomic.Int32 }

func (w *waypoint) Handle(_ context.Context, call hbone.Call, answer hbone.Answer) {
	w.calls.Add(1)
	stream, err := answer.Accept()
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(stream, "waypoint for %s from %s\n", call.Authority, call.Peer.Principal())
	_, _ = io.Copy(stream, stream)
}

func (w *waypoint) Refused(context.Context, hbone.Call, error) { w.calls.Add(1) }

// waypoint makes a waypoint pod, which is not captured, with its service.
func (s *stage) waypoint(t *testing.T, account string) *waypoint {
	t.Helper()
	w, p := &waypoint{}, s.node.Pod(t, false)
	server, err := hbone.NewServer(w, slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug))
	require.NoError(t, err)
	cert := s.istiod.CA.Certificate(t, spiffe.New("", "ns", account))
	l := p.Listen(t, 15008)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = server.Serve(t.Context(), c, cert.Server()) }()
		}
	}()
	spec := workload(p, "waypoint", false)
	spec.Services["ns/waypoint"] = &workloadapi.PortList{Ports: []*workloadapi.Port{{ServicePort: 15008, TargetPort: 15008}}}
	svc := service("waypoint", "10.96.0.99")
	svc.Ports = []*workloadapi.Port{{ServicePort: 15008, TargetPort: 15008}}
	s.istiod.Put(t, "1", spec, svc)
	return w
}

func behind(s *workloadapi.Service) *workloadapi.Service {
	s.Waypoint = &workloadapi.GatewayAddress{HboneMtlsPort: 15008, Destination: &workloadapi.GatewayAddress_Hostname{
		Hostname: &workloadapi.NamespacedHostname{Namespace: "ns", Hostname: "waypoint"},
	}}
	return s
}

func TestServiceGoesThroughItsWaypoint(t *testing.T) {
	s := newStage(t)
	w := s.waypoint(t, "waypoint")
	s.istiod.Put(t, "1", behind(service("cars", "10.96.0.10")))
	client, server := s.captured(t, "client"), s.captured(t, "server", "ns/cars")
	application(t, server, 8080)
	c, seen := mustCall(t, client, "10.96.0.10:80")
	assert.Equal(t, "waypoint for 10.96.0.10:80 from cluster.local/ns/ns/sa/client", seen)
	echoed(t, c, "through the waypoint")
	before := w.calls.Load()
	_, seen = mustCall(t, client, server.IP+":8080")
	assert.Equal(t, client.IP, seen, "a call to the pod's address goes past a service's waypoint")
	assert.Equal(t, before, w.calls.Load())
}

func TestFalseWaypointGetsNothing(t *testing.T) {
	s := newStage(t)
	w := s.waypoint(t, "impostor") // whose workload says it is "waypoint"
	s.istiod.Put(t, "1", behind(service("cars", "10.96.0.10")))
	client := s.captured(t, "client")
	require.Eventually(t, func() bool {
		_, _, err := call(t.Context(), client, "10.96.0.10:80")
		return err != nil && strings.Contains(s.log.String(), "expected one of")
	}, 10*time.Second, 10*time.Millisecond)
	assert.Zero(t, w.calls.Load())
}

// 250 connections at once share few connections to the peer, and none fails.
func TestManyConnectionsAtOnce(t *testing.T) {
	s := newStage(t)
	s.istiod.Put(t, "1", service("cars", "10.96.0.10"))
	client, server := s.captured(t, "client"), s.captured(t, "server", "ns/cars")
	application(t, server, 8080)
	mustCall(t, client, "10.96.0.10:80")
	results := make(chan error, 250)
	for i := range cap(results) {
		go func() { results <- ask(t.Context(), client, fmt.Sprintf("message %d", i)) }()
	}
	for range cap(results) {
		assert.NoError(t, <-results)
	}
}

func ask(ctx context.Context, from *fakemesh.Pod, text string) error {
	c, _, err := call(ctx, from, "10.96.0.10:80")
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	back, err := io.ReadAll(c)
	if err == nil && string(back) != text {
		err = fmt.Errorf("sent %q, got %q", text, back)
	}
	return err
}

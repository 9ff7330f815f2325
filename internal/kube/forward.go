package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// Port is a port of a pod.
type Port struct {
	Pod    Ref
	Number int
}

func (p Port) String() string { return fmt.Sprintf("pod %s port %d", p.Pod, p.Number) }

// Forward is a local port that leads to one in a pod, where connections arrive
// from the pod's own loopback address.
type Forward struct {
	Address string // 127.0.0.1:port
	stop    chan struct{}
	done    chan error
}

// Forward opens a port forward. The caller closes it; it also ends when the
// pod does.
func (c *Cluster) Forward(ctx context.Context, port Port) (*Forward, error) {
	dialer, err := c.forwardDialer(port)
	if err != nil {
		return nil, fmt.Errorf("prepare forward to %s: %w", port, err)
	}
	forward := &Forward{stop: make(chan struct{}), done: make(chan error, 1)}
	ready := make(chan struct{})
	ports := []string{fmt.Sprintf("0:%d", port.Number)}
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, ports, forward.stop, ready, io.Discard, io.Discard)
	if err != nil {
		return nil, fmt.Errorf("prepare forward to %s: %w", port, err)
	}
	go func() { forward.done <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-forward.done:
		return nil, fmt.Errorf("forward to %s: %w", port, err)
	case <-ctx.Done():
		close(forward.stop)
		return nil, fmt.Errorf("forward to %s: %w", port, ctx.Err())
	}
	return forward, forward.locate(forwarder)
}

func (f *Forward) locate(forwarder *portforward.PortForwarder) error {
	ports, err := forwarder.GetPorts()
	if err != nil || len(ports) != 1 {
		close(f.stop)
		return fmt.Errorf("local port of the forward: %d found: %w", len(ports), err)
	}
	f.Address = fmt.Sprintf("127.0.0.1:%d", ports[0].Local)
	return nil
}

// Close ends the forward and the connections through it.
func (f *Forward) Close() {
	close(f.stop)
	<-f.done //nolint:errcheck // it ended because it was told to
}

func (c *Cluster) forwardDialer(port Port) (httpstream.Dialer, error) {
	to := c.forwardURL(port)
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, to)
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(to, c.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialer(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

func (c *Cluster) forwardURL(port Port) *url.URL {
	return c.set.CoreV1().RESTClient().Post().
		Namespace(port.Pod.Namespace).Resource("pods").Name(port.Pod.Name).SubResource("portforward").URL()
}

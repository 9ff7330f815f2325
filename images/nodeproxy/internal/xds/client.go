// Package xds keeps the tables of the mesh in step with the control plane over
// one delta stream. It decodes and acknowledges; the tables know what the
// resources mean.
package xds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/notify"
)

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 15 * time.Second
	// maxDetail keeps the reasons of a refusal readable.
	maxDetail = 4096
)

// Client follows the control plane. Tables keep their content while there is
// no stream.
type Client struct {
	conn  grpc.ClientConnInterface
	node  *core.Node
	types map[string]*subscription
	order []string
	log   *slog.Logger

	synced sync.Once
	ready  chan struct{}

	mu   sync.Mutex
	lack error // why the mesh is not known as it is now
}

// NewClient subscribes to everything of each type.
func NewClient(conn grpc.ClientConnInterface, node *core.Node, log *slog.Logger, types ...Type) *Client {
	c := &Client{conn: conn, node: node, types: map[string]*subscription{}, log: log, ready: make(chan struct{}), lack: errNotHeard}
	for _, t := range types {
		c.order = append(c.order, t.URL)
		c.types[t.URL] = newSubscription(t)
	}
	return c
}

var errNotHeard = errors.New("control plane has not been heard completely")

// Synced closes when every type has been received once and nothing is missed.
func (c *Client) Synced() <-chan struct{} { return c.ready }

// Ready tells what of the mesh is not known, or nil. Later than Synced it can
// only be something that was refused.
func (c *Client) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lack
}

// Run streams, and streams again, until the context ends. A stream that brought
// something is replaced after the shortest pause: istiod ends each after half an
// hour.
func (c *Client) Run(ctx context.Context) error {
	backoff := notify.Backoff{First: firstRetry, Limit: lastRetry}
	for {
		received, err := c.stream(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if received {
			backoff.Reset()
		}
		c.log.Warn("stream from control plane ended, trying again", "error", err)
		if err := backoff.Wait(ctx); err != nil {
			return err
		}
	}
}

// stream returns when the stream ends, and whether anything came.
func (c *Client) stream(ctx context.Context) (received bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ads, err := discovery.NewAggregatedDiscoveryServiceClient(c.conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return false, fmt.Errorf("open stream: %w", err)
	}
	if err := c.subscribe(ads); err != nil {
		return false, err
	}
	for {
		response, err := ads.Recv()
		if err != nil {
			return received, fmt.Errorf("receive: %w", err)
		}
		received = true
		answer := c.answer(response)
		c.checkSynced()
		if err := ads.Send(answer); err != nil {
			return received, fmt.Errorf("acknowledge %s: %w", response.GetTypeUrl(), err)
		}
	}
}

// subscribe asks for everything, naming what is held, so that the control plane
// sends only differences and lists what has vanished.
func (c *Client) subscribe(ads discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesClient) error {
	for _, url := range c.order {
		request := &discovery.DeltaDiscoveryRequest{
			Node: c.node, TypeUrl: url, InitialResourceVersions: c.types[url].held(),
		}
		c.types[url].renewed = true
		if err := ads.Send(request); err != nil {
			return fmt.Errorf("subscribe to %s: %w", url, err)
		}
	}
	return nil
}

// answer applies a response and says what of it was refused.
func (c *Client) answer(response *discovery.DeltaDiscoveryResponse) *discovery.DeltaDiscoveryRequest {
	request := &discovery.DeltaDiscoveryRequest{TypeUrl: response.GetTypeUrl(), ResponseNonce: response.GetNonce()}
	t, ok := c.types[response.GetTypeUrl()]
	if !ok {
		return refuse(request, errors.New("type was not asked for"))
	}
	if err := t.receive(response); err != nil {
		c.log.Error("refused resources of control plane", "type", response.GetTypeUrl(), "error", err)
		return refuse(request, err)
	}
	return request
}

func refuse(request *discovery.DeltaDiscoveryRequest, reason error) *discovery.DeltaDiscoveryRequest {
	text := reason.Error()
	text = strings.ToValidUTF8(text[:min(len(text), maxDetail)], "")
	request.ErrorDetail = &status.Status{Code: int32(codes.InvalidArgument), Message: text}
	return request
}

func (c *Client) checkSynced() {
	err := c.lacking()
	c.mu.Lock()
	c.lack = err
	c.mu.Unlock()
	if err == nil {
		c.synced.Do(func() { close(c.ready) })
	}
}

func (c *Client) lacking() error {
	missed := map[string]error{}
	for _, t := range c.types {
		if !t.received {
			return errNotHeard
		}
		maps.Copy(missed, t.missed)
	}
	if err := joined(missed); err != nil {
		return fmt.Errorf("control plane sent what cannot be read: %w", err)
	}
	return nil
}

package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/fixtures/travel"
)

// Question is what to ask, and on how many connections at once.
type Question struct {
	URL         string
	Body        string // POSTed if not empty
	Connections int
	Requests    int // on each connection, one after the other
	Timeout     time.Duration
	Fresh       bool // a new connection for every request
}

func askCommand() *cobra.Command {
	q := Question{}
	command := &cobra.Command{
		Use:   "ask",
		Short: "Ask one URL again and again, and print what came back as JSON",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return printJSON(command.OutOrStdout(), q.Ask(command.Context()))
		},
	}
	flags := command.Flags()
	flags.StringVar(&q.URL, "url", "", "what to ask")
	flags.StringVar(&q.Body, "body", "", "what to send, if anything")
	flags.IntVar(&q.Connections, "connections", 1, "connections at once")
	flags.IntVar(&q.Requests, "requests", 1, "requests on each connection")
	flags.BoolVar(&q.Fresh, "fresh", false, "open a new connection for every request")
	flags.DurationVar(&q.Timeout, "timeout", 10*time.Second, "of one request")
	return command
}

// Argv is the command line that asks the question in a pod.
func (q Question) Argv() []string {
	return []string{
		"/agent", "link", "ask", "--url", q.URL, "--body", q.Body, "--timeout", q.Timeout.String(),
		"--connections", fmt.Sprint(q.Connections), "--requests", fmt.Sprint(q.Requests), fmt.Sprintf("--fresh=%t", q.Fresh),
	}
}

// Ask asks on all connections at once and waits for the last answer.
func (q Question) Ask(ctx context.Context) Answers {
	var group sync.WaitGroup
	asked := make([]connection, q.Connections)
	for i := range asked {
		group.Go(func() { asked[i].run(ctx, q) })
	}
	group.Wait()
	return sum(asked)
}

// connection is one client's view; it is used by one goroutine.
type connection struct {
	dialed    atomic.Int64 // the transport dials in a goroutine of its own
	latencies []time.Duration
	errors    map[string]int
	servers   map[string]int
	pods      map[string]int
}

func (c *connection) run(ctx context.Context, q Question) {
	c.errors, c.servers, c.pods = map[string]int{}, map[string]int{}, map[string]int{}
	transport := &http.Transport{DialContext: c.dial, MaxConnsPerHost: 1, DisableCompression: true, DisableKeepAlives: q.Fresh}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: q.Timeout}
	for range q.Requests {
		began := time.Now()
		if err := c.once(ctx, client, q); err != nil {
			c.errors[cause(err)]++
			continue
		}
		c.latencies = append(c.latencies, time.Since(began))
	}
}

func (c *connection) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.dialed.Add(1)
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (c *connection) once(ctx context.Context, client *http.Client, q Question) error {
	method := http.MethodGet
	if q.Body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, q.URL, strings.NewReader(q.Body))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	c.servers[response.Header.Get("Server")]++
	c.pods[response.Header.Get(travel.HeaderPod)]++
	return nil
}

// cause leaves out addresses and ports, which would make every error a kind of
// its own.
func cause(err error) string {
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Op + ": " + operation.Err.Error()
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
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

// connection is one client's view; it is used by one goroutine. It speaks HTTP
// on the connection itself: net/http's client would hide a broken one by asking
// again on another.
type connection struct {
	conn      net.Conn // nil if there is none
	reader    *bufio.Reader
	dialed    int
	latencies []time.Duration
	errors    map[string]int
	servers   map[string]int
	pods      map[string]int
}

func (c *connection) run(ctx context.Context, q Question) {
	c.errors, c.servers, c.pods = map[string]int{}, map[string]int{}, map[string]int{}
	defer c.hangUp()
	for range q.Requests {
		began := time.Now()
		if err := c.once(ctx, q); err != nil {
			c.errors[cause(err)]++
			c.hangUp()
			continue
		}
		c.latencies = append(c.latencies, time.Since(began))
		if q.Fresh {
			c.hangUp()
		}
	}
}

func (c *connection) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is waited for on it any more
		c.conn = nil
	}
}

func (c *connection) once(ctx context.Context, q Question) error {
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	request, err := q.request(ctx)
	if err != nil {
		return err
	}
	if c.conn == nil {
		if err := c.dial(ctx, request.URL); err != nil {
			return err
		}
	}
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return err
	}
	return c.exchange(request)
}

func (q Question) request(ctx context.Context) (*http.Request, error) {
	method := http.MethodGet
	if q.Body != "" {
		method = http.MethodPost
	}
	return http.NewRequestWithContext(ctx, method, q.URL, strings.NewReader(q.Body))
}

func (c *connection) dial(ctx context.Context, to *url.URL) error {
	port := to.Port()
	if port == "" {
		port = "80"
	}
	c.dialed++
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(to.Hostname(), port))
	if err != nil {
		return err
	}
	c.conn, c.reader = conn, bufio.NewReader(conn)
	return nil
}

func (c *connection) exchange(request *http.Request) error {
	if err := request.Write(c.conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.reader, request)
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
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Op + ": " + operation.Err.Error()
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

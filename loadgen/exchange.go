package loadgen

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// exchange is one request under way, as the transport sees it. net/http calls
// its trace from goroutines of its own, some of them after the request is over.
type exchange struct {
	clock clock
	keep  []string

	mu    sync.Mutex
	seen  record.Observation
	gots  int // connections that net/http took for this request
	heads int // times that it wrote the request's head
}

// trace watches which connections the request goes out on. net/http repeats an
// idempotent request whose kept connection dies before the first byte, and says
// nothing; only the trace shows it.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              x.gotConn,
		WroteHeaders:         x.wroteHeaders,
		GotFirstResponseByte: x.firstByte,
	}
}

func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gots++
	x.seen.Reused = info.Reused
	if c, ok := info.Conn.(*conn); ok {
		x.seen.Conn = c.id
	}
}

func (x *exchange) wroteHeaders() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.heads++
}

func (x *exchange) firstByte() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen.First = x.clock.now()
}

// failed notes why the exchange ended, unless it had ended before.
func (x *exchange) failed(class record.Class) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen.Class == record.ClassOK {
		x.seen.Class = class
	}
}

// answered notes the head of the response.
func (x *exchange) answered(status int, header http.Header) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen.Status = status
	x.seen.Service = header.Get("x-wayproof-service")
	x.seen.Version = header.Get("x-wayproof-version")
	x.seen.Pod = header.Get("x-wayproof-pod")
	x.seen.Peer = header.Get("x-wayproof-peer")
	x.seen.Server = header.Get("server")
	x.seen.Location = header.Get("location")
	x.seen.Header = kept(header, x.keep)
}

// kept picks headers by name, lower-case, several values joined as RFC 9110 allows.
func kept(header http.Header, names []string) map[string]string {
	var out map[string]string
	for _, name := range names {
		values := header.Values(name)
		if len(values) == 0 {
			continue
		}
		if out == nil {
			out = make(map[string]string, len(names))
		}
		out[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return out
}

func (x *exchange) read(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen.Bytes += n
}

// finish is what the client saw, with the end of the exchange as an offset.
// A timeout ends at the timeout: what is later than that is the generator's own.
func (x *exchange) finish(done, timeout time.Duration) record.Observation {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen.Done = done
	if limit := x.seen.Sent + timeout; x.seen.Class == record.ClassTimeout && done > limit {
		x.seen.Done = limit
		if x.seen.First > limit {
			x.seen.First = 0 // it began to come after nobody waited for it any more
		}
	}
	x.seen.Replays = max(x.gots, x.heads, 1) - 1
	return x.seen
}

// body counts what is read, notes what breaks it off, and ends the exchange's
// hold on its connection when vegeta closes it.
type body struct {
	io.ReadCloser
	x     *exchange
	class func(error) record.Class
	over  func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.x.read(n)
	if err != nil && err != io.EOF {
		b.x.failed(b.class(err))
	}
	return n, err
}

func (b *body) Close() error {
	defer b.over()
	return b.ReadCloser.Close()
}

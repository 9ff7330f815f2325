// Package flow observes connections: each has a log line when it ends, counts
// in the metrics, and a place in the list of open connections. It carries and
// decides nothing, except that it can re-ask the decider and cut.
package flow

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Direction is seen from the captured pod.
type Direction string

// The two directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Party is one end of a connection, as far as it is known.
type Party struct {
	Workload          string // the owner's name, as in workload_name
	Pod               string
	Namespace         string
	Identity          string // URI, empty without a proven identity
	CanonicalName     string
	CanonicalRevision string
}

// Service is the service a connection was addressed to.
type Service struct{ Hostname, Name, Namespace string }

// Facts describe a connection once it is known where it goes.
type Facts struct {
	Direction   Direction
	PodUID      string // Kubernetes' uid of the captured pod
	Source      Party
	Destination Party
	Service     Service

	Src         netip.AddrPort
	OriginalDst string         // as the client meant it; may be unknown
	ActualDst   netip.AddrPort // what the proxy connected to
	Tunneled    bool           // HBONE, else plain TCP
	Authority   string         // the CONNECT target of an HBONE connection
}

// Protocol is the word the control plane's tools use.
func (f Facts) Protocol() string {
	if f.Tunneled {
		return "HBONE"
	}
	return "TCP"
}

// Flow is one observed connection. It is the relay's meter.
type Flow struct {
	Facts   Facts
	tracker *Tracker
	started time.Time
	allowed func() error
	cut     context.CancelCauseFunc

	sent, received           atomic.Int64
	sentTotal, receivedTotal prometheus.Counter
}

// Sent counts bytes from the accepting to the dialling side.
func (f *Flow) Sent(bytes int) {
	if f.Facts.Direction == Inbound {
		f.addReceived(bytes)
		return
	}
	f.addSent(bytes)
}

// Received counts the opposite direction.
func (f *Flow) Received(bytes int) {
	if f.Facts.Direction == Inbound {
		f.addSent(bytes)
		return
	}
	f.addReceived(bytes)
}

func (f *Flow) addSent(bytes int) {
	f.sent.Add(int64(bytes))
	f.sentTotal.Add(float64(bytes))
}

func (f *Flow) addReceived(bytes int) {
	f.received.Add(int64(bytes))
	f.receivedTotal.Add(float64(bytes))
}

// End closes the books of the connection: err is why it failed, or nil.
func (f *Flow) End(ctx context.Context, err error) { f.tracker.end(ctx, f, err) }

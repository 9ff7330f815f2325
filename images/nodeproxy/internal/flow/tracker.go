package flow

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Tracker knows all open connections. It is safe for concurrent use.
type Tracker struct {
	log     *slog.Logger
	metrics *Metrics

	mu   sync.Mutex
	open map[*Flow]bool
}

// NewTracker logs every finished connection to log.
func NewTracker(metrics *Metrics, log *slog.Logger) *Tracker {
	return &Tracker{log: log, metrics: metrics, open: map[*Flow]bool{}}
}

// Begin starts the books of a connection. Cut is called with the reason when
// allowed, which may be nil, no longer agrees.
func (t *Tracker) Begin(facts Facts, allowed func() error, cut context.CancelCauseFunc) *Flow {
	on := labels(facts, "-")
	f := &Flow{
		Facts: facts, tracker: t, started: time.Now(), allowed: allowed, cut: cut,
		sentTotal: t.metrics.sent.With(on), receivedTotal: t.metrics.received.With(on),
	}
	t.metrics.opened.With(on).Inc()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[f] = true
	return f
}

func (t *Tracker) end(ctx context.Context, f *Flow, err error) {
	t.mu.Lock()
	known := t.open[f]
	delete(t.open, f)
	t.mu.Unlock()
	if !known {
		return
	}
	t.metrics.closed.With(labels(f.Facts, responseFlags(err))).Inc()
	t.write(ctx, f, err)
}

// Open lists the open connections, oldest first.
func (t *Tracker) Open() []*Flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*Flow
	for f := range t.open {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *Flow) int { return cmp.Compare(a.started.UnixNano(), b.started.UnixNano()) })
	return all
}

// Recheck asks again whether each connection may be, and cuts those that no
// longer may.
func (t *Tracker) Recheck() {
	for _, f := range t.Open() {
		if f.allowed == nil {
			continue
		}
		if err := f.allowed(); err != nil {
			f.cut(Denied(err))
		}
	}
}

// write logs with ztunnel's keys, so that one reader does for both.
func (t *Tracker) write(ctx context.Context, f *Flow, err error) {
	level, a := slog.LevelInfo, f.attributes()
	if err != nil {
		level = slog.LevelError
		a = append(a, slog.String("error", err.Error()))
	}
	t.log.LogAttrs(ctx, level, "connection complete", a...)
}

func (f *Flow) attributes() []slog.Attr {
	facts := f.Facts
	a := []slog.Attr{slog.String("src.addr", facts.Src.String())}
	a = append(a, party("src", facts.Source)...)
	a = append(a, slog.String("dst.addr", facts.ActualDst.String()))
	a = appendKnown(a, "dst.hbone_addr", facts.Authority)
	a = appendKnown(a, "dst.service", facts.Service.Hostname)
	a = append(a, party("dst", facts.Destination)...)
	return append(a,
		slog.String("direction", string(facts.Direction)),
		slog.Int64("bytes_sent", f.sent.Load()),
		slog.Int64("bytes_recv", f.received.Load()),
		slog.String("duration", time.Since(f.started).Round(time.Millisecond).String()),
	)
}

func party(side string, p Party) []slog.Attr {
	var a []slog.Attr
	a = appendKnown(a, side+".workload", p.Pod)
	a = appendKnown(a, side+".namespace", p.Namespace)
	return appendKnown(a, side+".identity", p.Identity)
}

func appendKnown(a []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return a
	}
	return append(a, slog.String(key, value))
}

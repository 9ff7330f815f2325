package worker

import (
	"sync"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen/hdr"
)

// Progress is how far an attack is, as its driver sees it.
type Progress struct {
	Planned int
	Done    int           // observations so far
	Failed  int           // of these, without a complete HTTP answer
	Status5 int           // of these, answered 500 to 599
	Rate    float64       // observations per second since the previous report
	Elapsed time.Duration // since the worker was called
	P50     time.Duration // response time from the intended instant, so far
	P99     time.Duration
}

// meter counts observations for a display.
type meter struct {
	planned int
	began   time.Time

	mu       sync.Mutex
	progress Progress
	response hdr.Histogram
	counted  int       // observations at the previous report
	reported time.Time // the previous report
}

func newMeter(planned int) *meter {
	now := time.Now()
	return &meter{planned: planned, began: now, reported: now, progress: Progress{Planned: planned}}
}

func (m *meter) add(o record.Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Done++
	m.response.Record(o.Latency())
	switch {
	case o.Class != record.ClassOK:
		m.progress.Failed++
	case o.Status >= 500:
		m.progress.Status5++
	}
}

// now is the state, and starts the next interval of the rate.
func (m *meter) now() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	p := m.progress
	p.Elapsed = now.Sub(m.began)
	if since := now.Sub(m.reported).Seconds(); since > 0 {
		p.Rate = float64(p.Done-m.counted) / since
	}
	p.P50, p.P99 = m.response.Quantile(0.5), m.response.Quantile(0.99)
	m.counted, m.reported = p.Done, now
	return p
}

// report starts telling the driver's Progress, and gives what ends it, with a
// last report.
func (d Driver) report(m *meter) func() {
	if d.Progress == nil {
		return func() {}
	}
	every := d.Every
	if every <= 0 {
		every = time.Second
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				d.Progress(m.now())
			case <-done:
				d.Progress(m.now())
				return
			}
		}
	}()
	return func() { close(done); <-over }
}

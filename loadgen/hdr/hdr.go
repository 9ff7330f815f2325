// Package hdr keeps distributions of latency that can be merged: over seconds,
// over workers, over runs. Percentiles cannot be averaged; histograms with the
// same buckets can be added, and the sum is what one recorder would have seen.
//
// It renders nothing and judges nothing.
package hdr

import (
	"fmt"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// The geometry that all histograms here share, so that every two can be merged:
// 1 µs to 1 hour at three significant digits, so a value is off by at most 0.1 %
// or 1 µs. What lies outside is recorded at the nearest end.
const (
	lowest  = time.Microsecond
	highest = time.Hour
	digits  = 3
)

// Histogram is a distribution of durations. The zero value is empty and ready.
// It is sparse: memory grows with the number of different values. It is not
// safe for concurrent use.
type Histogram struct {
	packed *hdrhistogram.PackedHistogram
}

func (h *Histogram) ready() *hdrhistogram.PackedHistogram {
	if h.packed == nil {
		h.packed = hdrhistogram.NewPacked(1, highest.Microseconds(), digits)
	}
	return h.packed
}

// Record adds one duration.
func (h *Histogram) Record(d time.Duration) {
	clamped := min(max(d, lowest), highest)
	// Within the range that the geometry tracks nothing can fail.
	_ = h.ready().RecordValue(clamped.Round(time.Microsecond).Microseconds())
}

// Merge adds what another histogram holds.
func (h *Histogram) Merge(other *Histogram) {
	if other.packed != nil {
		h.ready().Merge(other.packed)
	}
}

// Count is the number of durations recorded.
func (h *Histogram) Count() int64 {
	if h.packed == nil {
		return 0
	}
	return h.packed.TotalCount()
}

// Quantile is the smallest recorded duration, to the histogram's precision, that
// at least the share q of all does not exceed; 0 where nothing is recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.packed == nil {
		return 0
	}
	return time.Duration(h.packed.ValueAtPercentile(100*q)) * time.Microsecond
}

// Max is the longest recorded duration, to the histogram's precision.
func (h *Histogram) Max() time.Duration {
	if h.packed == nil {
		return 0
	}
	return time.Duration(h.packed.Max()) * time.Microsecond
}

// MarshalText is the compressed V2 encoding of HdrHistogram in base64, which
// other implementations read; the unit is microseconds.
func (h *Histogram) MarshalText() ([]byte, error) {
	text, err := h.ready().Encode()
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	return text, nil
}

// UnmarshalText reads what MarshalText wrote. A histogram of another geometry
// is refused, because merging it would move its values.
func (h *Histogram) UnmarshalText(text []byte) error {
	packed, err := hdrhistogram.DecodePacked(text)
	if err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	if packed.SignificantFigures() != digits || packed.HighestTrackableValue() != highest.Microseconds() || packed.LowestTrackableValue() != 1 {
		return fmt.Errorf("decode histogram: its geometry is %d to %d at %d digits, not ours",
			packed.LowestTrackableValue(), packed.HighestTrackableValue(), packed.SignificantFigures())
	}
	h.packed = packed
	return nil
}

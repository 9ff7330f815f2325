package digest

import (
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// seriesKept bounds the series of a stage, points the points of a series.
const (
	seriesKept = 48
	points     = 240
)

// Series is one numeric series, thinned to the last value of each slice of the
// stage's span.
type Series struct {
	Name     string
	Min, Max float64
	values   [points]float64
	there    [points]bool
}

// Point is one value, at an offset from the stage's base.
type Point struct {
	At    time.Duration
	Value float64
}

func (s *Stage) sampled(m *record.Sample, base time.Time) {
	if m.Text != "" && m.Value == 0 {
		return // a row: no curve
	}
	series := s.series(m)
	if series == nil {
		return
	}
	at := min(max(0, int(float64(m.At.Sub(base))/float64(s.Span)*points)), points-1)
	series.values[at], series.there[at] = m.Value, true
	series.Min, series.Max = min(series.Min, m.Value), max(series.Max, m.Value)
}

func (s *Stage) series(m *record.Sample) *Series {
	for _, series := range s.Series {
		if series.Name == m.Series {
			return series
		}
	}
	if len(s.Series) == seriesKept {
		return nil
	}
	series := &Series{Name: m.Series, Min: m.Value, Max: m.Value}
	s.Series = append(s.Series, series)
	return series
}

// Points gives the points of a series of this stage.
func (s *Stage) Points(series *Series) []Point {
	var out []Point
	for i, there := range series.there {
		if there {
			at := time.Duration((float64(i) + .5) / points * float64(s.Span))
			out = append(out, Point{At: at, Value: series.values[i]})
		}
	}
	return out
}

package draw

import (
	"math"
	"strconv"
)

// Scale maps values to pixels, linearly or by logarithm.
type Scale struct {
	From, To float64 // values; above zero if Log
	Low, Up  float64 // their pixels
	Log      bool
}

// At is the pixel of a value; values outside are drawn at the edge.
func (s Scale) At(v float64) float64 {
	from, to, v := s.From, s.To, min(max(v, s.From), s.To)
	if s.Log {
		from, to, v = math.Log(from), math.Log(to), math.Log(v)
	}
	if to == from {
		return s.Low
	}
	return s.Low + (v-from)/(to-from)*(s.Up-s.Low)
}

// Ticks are about n round values: 1, 2 or 5 times a power of ten, and on a
// logarithmic scale the powers of ten with 3 between.
func (s Scale) Ticks(n int) []float64 {
	if s.Log {
		return s.logTicks()
	}
	if s.To <= s.From {
		return []float64{s.From}
	}
	raw := (s.To - s.From) / float64(max(1, n))
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, times := range []float64{1, 2, 5, 10} {
		if step*times >= raw {
			step *= times
			break
		}
	}
	var ticks []float64
	for i := math.Ceil(s.From/step - 1e-9); i*step <= s.To+step*1e-9; i++ {
		ticks = append(ticks, i*step+0) // and never minus zero, which prints with its sign
	}
	return ticks
}

func (s Scale) logTicks() []float64 {
	var ticks []float64
	for e := math.Floor(math.Log10(s.From)); e <= math.Ceil(math.Log10(s.To)); e++ {
		for _, times := range []float64{1, 3} {
			if v := times * math.Pow(10, e); v >= s.From && v <= s.To {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// Milliseconds renders a latency with a unit that fits its size.
func Milliseconds(ms float64) string {
	switch {
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'g', 3, 64) + " s"
	case ms >= 1:
		return strconv.FormatFloat(ms, 'g', 3, 64) + " ms"
	default:
		return strconv.FormatFloat(ms*1000, 'f', 0, 64) + " µs"
	}
}

// Seconds renders an offset into a stage of the given length.
func Seconds(at, length float64) string {
	switch {
	case at == 0:
		return "0"
	case length > 600:
		return strconv.FormatFloat(at/60, 'g', 3, 64) + " min"
	case length < 2:
		return strconv.FormatFloat(at*1000, 'g', 3, 64) + " ms"
	default:
		return strconv.FormatFloat(at, 'g', 4, 64) + " s"
	}
}

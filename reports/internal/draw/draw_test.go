package draw

import (
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScale(t *testing.T) {
	s := Scale{From: 0, To: 100, Low: 10, Up: 110}
	assert.InDelta(t, 60, s.At(50), 1e-9)
	assert.InDelta(t, 110, s.At(1e9), 1e-9)
	up := Scale{From: 1, To: 1000, Low: 100, Up: 0, Log: true}
	assert.InDelta(t, 100.0/3, up.At(100), 1e-9)
	assert.Equal(t, []float64{1, 3, 10, 30, 100, 300, 1000}, up.Ticks(9))
	assert.Equal(t, []float64{0, 20, 40, 60, 80, 100}, s.Ticks(5))
	assert.InDeltaSlice(t, []float64{0, .2, .4, .6}, Scale{From: 0, To: .7}.Ticks(4), 1e-9)
	assert.False(t, math.Signbit(s.Ticks(5)[0]), "zero prints without a sign")
	assert.Equal(t, []float64{3}, Scale{From: 3, To: 3}.Ticks(4))
}

func TestNumbersReadWell(t *testing.T) {
	assert.Equal(t, []string{"1.5 s", "400 ms", "2.5 ms", "250 µs"},
		[]string{Milliseconds(1500), Milliseconds(400), Milliseconds(2.5), Milliseconds(.25)})
	assert.Equal(t, []string{"0", "70 s", "15 min", "200 ms"},
		[]string{Seconds(0, 9), Seconds(70, 90), Seconds(900, 1200), Seconds(.2, 1)})
}

// FuzzTextCannotLeaveItsElement draws hostile text and reads the picture as XML.
func FuzzTextCannotLeaveItsElement(f *testing.F) {
	f.Add(`</text><script>x</script>`, `" onload="x`)
	f.Fuzz(func(t *testing.T, text, class string) {
		p := New(10, 10, text)
		p.Text(class, Point{}, text)
		p.Rect(class, Point{}, 1, 1)
		d := xml.NewDecoder(strings.NewReader(string(p.HTML())))
		var names []string
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			if start, ok := token.(xml.StartElement); ok {
				names = append(names, start.Name.Local)
				for _, a := range start.Attr {
					assert.Contains(t, "viewBox role aria-label class x y width height", a.Name.Local)
				}
			}
		}
		assert.Equal(t, []string{"svg", "text", "rect"}, names)
	})
}

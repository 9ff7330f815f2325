package scene

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The lines are those that the demo's cars writes, as the API server gives them.
const carsLog = `2026-01-15T12:50:52.123456789Z I0115 12:50:52.123456       1 cars.go:97] Starting cars/v2 
2026-01-15T12:50:53.000000001Z I0115 12:50:53.000000       1 cars.go:97] [cars/v2] NotFound: City r1x3x0 not found 
2026-01-15T12:50:53.5Z I0115 12:50:53.500000       1 cars.go:97] [cars/v2] GetCars for city r1x3x17 
2026-01-15T12:50:54Z I0115 12:50:54.000000       1 cars.go:97] [cars/v2] GetCars for city r1x33x1 
2026-01-15T12:50:54Z I0115 12:50:54.000000       1 cars.go:97] [cars/v2] GetCars for city Madrid 
2026-01-15T12:50:54Z I0115 12:50:54.000000       1 cars.go:97] [cars/v2] Applying discount 0.9 for r1x3x5 
2026-01-15T12:50:55Z I0115 12:50:55.000000       1 cars.go:97] [cars/v2] NotFound: City r1x3x0 not found 
`

func TestTokensAreReadFromTheDemosLog(t *testing.T) {
	type line struct {
		version string
		seq     int
	}
	var got []line
	var last time.Time
	require.NoError(t, tokens(strings.NewReader(carsLog), "r1-3", func(version string, seq int, at time.Time) error {
		got = append(got, line{version, seq})
		last = at
		return nil
	}))
	assert.Equal(t, []line{{"v2", 0}, {"v2", 17}, {"v2", 0}}, got, "each line counts, foreign ones do not")
	assert.Equal(t, time.Date(2026, 1, 15, 12, 50, 55, 0, time.UTC), last)
}

func TestALineBeyondMeasureIsAnErrorNotASilence(t *testing.T) {
	long := strings.Repeat("x", 2*longestLine)
	require.Error(t, tokens(strings.NewReader(long), "r1-3", nil))
}

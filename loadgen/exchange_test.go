package loadgen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// An answer that begins in the moment of the timeout comes after the end that the
// timeout is recorded with: it was not seen.
func TestAnAnswerAfterTheTimeoutIsNone(t *testing.T) {
	const timeout = 10 * time.Second
	for name, c := range map[string]struct {
		class record.Class
		first time.Duration
		want  time.Duration
	}{
		"too late":                    {record.ClassTimeout, 11*time.Second + 11*time.Millisecond, 0},
		"cut by the timeout":          {record.ClassTimeout, 5 * time.Second, 5 * time.Second},
		"answered, the limit not met": {record.ClassOK, 5 * time.Second, 5 * time.Second},
	} {
		x := &exchange{seen: record.Observation{Sent: time.Second, First: c.first, Class: c.class}}
		o := x.finish(11*time.Second+20*time.Millisecond, timeout)
		assert.Equal(t, c.want, o.First, name)
		assert.LessOrEqual(t, o.First, o.Done, name)
	}
}

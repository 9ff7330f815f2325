package loadgen

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// waited is for how long, so far, some task of the machine has waited for a
// processor, by the kernel's pressure stall information ("some" of
// /proc/pressure/cpu, which counts microseconds and is the machine's, in a
// container too). It is false where the kernel keeps none.
// Source: kernel documentation, accounting/psi.
func waited(proc fs.FS) (time.Duration, bool) {
	text, err := fs.ReadFile(proc, "pressure/cpu")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "some" {
			continue
		}
		for _, field := range fields[1:] {
			if value, ok := strings.CutPrefix(field, "total="); ok {
				n, err := strconv.ParseInt(value, 10, 64)
				return time.Duration(n) * time.Microsecond, err == nil
			}
		}
	}
	return 0, false
}

// starvation measures from now on: the function it returns gives the share of
// the time since then in which some task waited for a processor, 0 if unknown.
func starvation(proc fs.FS, now func() time.Time) func() float64 {
	before, known := waited(proc)
	began := now()
	return func() float64 {
		after, still := waited(proc)
		span := now().Sub(began)
		if !known || !still || span <= 0 {
			return 0
		}
		return min(1, float64(after-before)/float64(span))
	}
}

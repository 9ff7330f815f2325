package loadgen

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// throttleFiles are where a container finds its own CPU accounting, below
// /sys/fs/cgroup: version 2 first, then the mounts of version 1.
var throttleFiles = [...]string{"cpu.stat", "cpu/cpu.stat", "cpu,cpuacct/cpu.stat"} //nolint:gochecknoglobals // a constant but for its type

// throttled is how long the CPU quota has held this container back so far. Where
// no accounting is found there is no quota to be held back by, and it is 0.
func throttled(cgroup fs.FS) time.Duration {
	for _, name := range throttleFiles {
		text, err := fs.ReadFile(cgroup, name)
		if err == nil {
			return parseThrottled(string(text))
		}
	}
	return 0
}

// parseThrottled reads cpu.stat: throttled_usec in version 2, throttled_time
// (nanoseconds) in version 1. Source: kernel documentation, cgroup-v2 "cpu.stat"
// and scheduler/sched-bwc.
func parseThrottled(text string) time.Duration {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		switch {
		case err != nil:
			continue
		case name == "throttled_usec":
			return time.Duration(n) * time.Microsecond
		case name == "throttled_time":
			return time.Duration(n)
		}
	}
	return 0
}

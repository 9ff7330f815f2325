package engine

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// keepOwnFiles has no later child inherit what this process was given beyond
// the standard streams. dockerd outlives us: with the file of a `flock` around
// `make up` it would hold that lock for ever. Go's own files are so marked.
func keepOwnFiles() error {
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("mark inherited files to be closed: %w", err)
	}
	return nil
}

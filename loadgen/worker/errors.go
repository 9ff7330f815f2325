package worker

import (
	"fmt"
	"strings"
	"sync"
)

// DeadError is a worker that ended without its health record: killed, evicted,
// out of memory, or cut off. What it observed is incomplete in an unknown way,
// so the stage is inconclusive and the harness to blame.
type DeadError struct {
	Done    int      // observations that came
	Planned int      // requests of the plan
	Stderr  []string // its last words
	Err     error    // what became of the process, nil where it ended without error
}

// Error names how far the worker came and what it said last.
func (e *DeadError) Error() string {
	text := fmt.Sprintf("load worker died mid-run after %d of %d observations", e.Done, e.Planned)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if len(e.Stderr) > 0 {
		text += "; its last words: " + strings.Join(e.Stderr, " | ")
	}
	return text
}

// Unwrap gives what became of the process.
func (e *DeadError) Unwrap() error { return e.Err }

// RefusedError is an order that the worker would not carry out.
type RefusedError struct{ Reason string }

// Error gives the worker's reason.
func (e *RefusedError) Error() string { return "load worker refused its order: " + e.Reason }

// How much of a worker's stderr is kept: bytes, and lines of these.
const (
	lastBytes = 4 << 10
	lastLines = 5
)

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

// Write never fails: a worker's complaints must not stop it.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - lastBytes; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// lines are the last lines that are not empty.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for line := range strings.Lines(string(t.kept)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out[max(0, len(out)-lastLines):]
}

// Package progress shows on a terminal or in a log what a long command is
// doing: one line when a step begins, a ticking time while it runs on a
// terminal, and one line with the time it took when it ends.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Lines writes progress as lines of text.
type Lines struct {
	out   io.Writer
	live  bool // a terminal: the running step's line is rewritten
	start time.Time

	mu      sync.Mutex
	running []string // names of the steps under way, outermost first
	detail  string   // of the innermost
	stop    chan struct{}
}

// New writes to out, with a ticking clock if out is a terminal.
func New(out io.Writer) *Lines {
	return &Lines{out: out, live: IsTerminal(out), start: time.Now()}
}

// IsTerminal says whether a person may be watching out.
func IsTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Step announces work; the returned function ends it.
func (l *Lines) Step(name string) func(err error) {
	began := time.Now()
	l.mu.Lock()
	depth := len(l.running)
	l.running = append(l.running, name)
	l.print("%s%s ...", indent(depth), name)
	l.tick(depth, name, began)
	l.mu.Unlock()
	return func(err error) { l.end(depth, name, began, err) }
}

// Detail says more of the step under way, on its line, until the next step.
func (l *Lines) Detail(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.detail = text
}

// Note prints one line.
func (l *Lines) Note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.print("%s%s", indent(len(l.running)), fmt.Sprintf(format, args...))
}

func (l *Lines) end(depth int, name string, began time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet()
	l.running, l.detail = l.running[:min(depth, len(l.running))], ""
	mark := "done"
	if err != nil {
		mark = "FAILED"
	}
	l.print("%s%s %s in %s", indent(depth), name, mark, time.Since(began).Round(100*time.Millisecond))
}

// print writes one line under the run's clock.
func (l *Lines) print(format string, args ...any) {
	if l.live {
		fmt.Fprint(l.out, "\r\033[K")
	}
	elapsed := time.Since(l.start).Round(time.Second)
	fmt.Fprintf(l.out, "[%3d:%02d] %s\n", int(elapsed.Minutes()), int(elapsed.Seconds())%60, fmt.Sprintf(format, args...))
}

// tick rewrites the last line with the step's time until quiet is called.
func (l *Lines) tick(depth int, name string, began time.Time) {
	l.quiet()
	l.detail = ""
	if !l.live {
		return
	}
	stop := make(chan struct{})
	l.stop = stop
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				l.redraw(stop, fmt.Sprintf("%s  %s %s", indent(depth), name, time.Since(began).Round(time.Second)))
			}
		}
	}()
}

func (l *Lines) redraw(stop chan struct{}, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-stop:
	default:
		if l.detail != "" {
			text += "  " + l.detail
		}
		fmt.Fprintf(l.out, "\r\033[K        %s", text)
	}
}

func (l *Lines) quiet() {
	if l.stop != nil {
		close(l.stop)
		l.stop = nil
	}
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

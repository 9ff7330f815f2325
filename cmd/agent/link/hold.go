package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// Watch is what to keep an eye on: connections that are held open and echo a
// line at every beat, and new ones at every beat.
type Watch struct {
	Address string // of the echo port
	Held    int
	Beat    time.Duration
	For     time.Duration
}

// patience bounds one echo: longer is as good as lost.
const patience = 5 * time.Second

// Series is what became of the connections.
type Series struct {
	Held     []Held
	Fresh    int // new connections that were tried
	Failures []Failure
}

// Held is a connection's life. A broken one is opened again and counts anew.
type Held struct {
	Opened, Ended time.Time
	Echoes        int
	Error         string // empty if it lasted until the watch was over
}

// Failure is a new connection that did not return its line.
type Failure struct {
	At    time.Time
	Error string
}

func holdCommand() *cobra.Command {
	var w Watch
	command := &cobra.Command{
		Use:   "hold",
		Short: "Hold connections and open new ones for a while, and print what became of them as JSON",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return printJSON(command.OutOrStdout(), w.Keep(command.Context()))
		},
	}
	flags := command.Flags()
	flags.StringVar(&w.Address, "address", "", "of the echo port")
	flags.IntVar(&w.Held, "held", 10, "connections to hold")
	flags.DurationVar(&w.Beat, "beat", 50*time.Millisecond, "pause between lines, and between new connections")
	flags.DurationVar(&w.For, "for", time.Minute, "how long")
	return command
}

// Argv is the command line that watches from a pod.
func (w Watch) Argv() []string {
	return []string{
		"/agent", "link", "hold", "--address", w.Address, "--held", fmt.Sprint(w.Held),
		"--beat", w.Beat.String(), "--for", w.For.String(),
	}
}

// Keep watches until the time is over.
func (w Watch) Keep(ctx context.Context) Series {
	ctx, cancel := context.WithTimeout(ctx, w.For)
	defer cancel()
	var group sync.WaitGroup
	lives := make([][]Held, w.Held)
	for i := range lives {
		group.Go(func() { lives[i] = w.hold(ctx) })
	}
	series := w.open(ctx)
	group.Wait()
	for _, life := range lives {
		series.Held = append(series.Held, life...)
	}
	return series
}

// open tries a new connection at every beat.
func (w Watch) open(ctx context.Context) Series {
	var series Series
	_ = w.everyBeat(ctx, func() error {
		at := time.Now()
		series.Fresh++
		if held := w.one(ctx, 1); held.Error != "" {
			series.Failures = append(series.Failures, Failure{At: at, Error: held.Error})
		}
		return nil
	})
	return series
}

// hold keeps one connection, and another whenever it broke.
func (w Watch) hold(ctx context.Context) []Held {
	var life []Held
	_ = w.everyBeat(ctx, func() error {
		life = append(life, w.one(ctx, 0))
		return nil
	})
	return life
}

// one opens a connection and echoes lines, as many as told, or until the watch
// is over if zero.
func (w Watch) one(ctx context.Context, lines int) (held Held) {
	held.Opened = time.Now()
	defer func() { held.Ended = time.Now() }()
	conn, err := (&net.Dialer{Timeout: patience}).Dial("tcp", w.Address)
	if err != nil {
		held.Error = cause(err)
		return held
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	err = w.everyBeat(ctx, func() error {
		if err := echo(conn, reader, held.Echoes); err != nil {
			return err
		}
		held.Echoes++
		if held.Echoes == lines {
			return errDone
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDone) {
		held.Error = cause(err)
	}
	return held
}

var errDone = errors.New("done")

func echo(conn net.Conn, reader *bufio.Reader, number int) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	line := fmt.Sprintf("line %d\n", number)
	if _, err := conn.Write([]byte(line)); err != nil {
		return err
	}
	returned, err := reader.ReadString('\n')
	if err == nil && returned != line {
		err = fmt.Errorf("sent %q, got %q", line, returned)
	}
	return err
}

// everyBeat does something now and at every beat, until it fails or the time
// is over.
func (w Watch) everyBeat(ctx context.Context, do func() error) error {
	ticker := time.NewTicker(w.Beat)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := do(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}

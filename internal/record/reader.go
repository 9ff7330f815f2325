package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Reader reads a run directory. It may be walked several times, also by
// several goroutines: each walk opens the stream anew.
type Reader struct {
	dir string
	run *Run
}

var _ Source = (*Reader)(nil)

// Open reads the head of a run directory. A schema from the future is refused
// with *SchemaError.
func Open(dir string) (*Reader, error) {
	run, err := readRun(dir)
	if err != nil {
		return nil, fmt.Errorf("open record %s: %w", dir, err)
	}
	return &Reader{dir: dir, run: run}, nil
}

// Run is the head of the run.
func (r *Reader) Run() *Run { return r.run }

// Walk delivers the items in the order in which they were written.
func (r *Reader) Walk(ctx context.Context, sink Sink) error {
	path := filepath.Join(r.dir, ObservationsFile)
	f, err := os.Open(path)
	if err != nil {
		return &Incomplete{All: true, Cause: fmt.Errorf("open observations: %w", err)}
	}
	walkErr := walkStream(ctx, f, pass{file: path, stages: len(r.run.Stages), sink: sink})
	return errors.Join(walkErr, f.Close())
}

// walkStream decompresses beside the decoding of lines.
func walkStream(ctx context.Context, in io.Reader, p pass) error {
	zip, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return fmt.Errorf("open %s: %w", p.file, err)
	}
	defer zip.Close()
	p.decoder, p.found, p.marks = newDecoder(), map[int]*tally{}, map[int]tally{}
	return p.walk(ctx, bufio.NewReaderSize(zip, 256<<10))
}

// pass is one walk over a stream: what it found, and what the marks in the
// stream say it should find.
type pass struct {
	file    string
	stages  int // of the run's head
	sink    Sink
	decoder *decoder
	found   map[int]*tally
	marks   map[int]tally
	last    *tally // of the stage that the last item belonged to
	lines   int
	ended   bool
	bad     error // the first thing that was wrong with the stream
}

// checkEvery is the number of lines between two looks at the context.
const checkEvery = 4096

func (p *pass) walk(ctx context.Context, in *bufio.Reader) error {
	var spill []byte
	for {
		if p.lines%checkEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("walk %s: %w", p.file, ctx.Err())
		}
		text, err := nextLine(in, &spill)
		if err != nil {
			return p.close(err)
		}
		if err := p.one(text); err != nil {
			return err
		}
	}
}

// longestLine bounds the memory that one line may claim.
const longestLine = 64 << 20

var errLongLine = errors.New("line longer than 64 MiB")

// nextLine gives a line without its newline, valid until the next call.
func nextLine(in *bufio.Reader, spill *[]byte) ([]byte, error) {
	text, err := in.ReadSlice('\n')
	if err == nil {
		return text[:len(text)-1], nil
	}
	*spill = append((*spill)[:0], text...)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = in.ReadSlice('\n')
		if *spill = append(*spill, text...); len(*spill) > longestLine {
			return nil, errLongLine
		}
	}
	if err != nil {
		if len(*spill) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // a line without an end was cut
		}
		return nil, err
	}
	return (*spill)[:len(*spill)-1], nil
}

// one handles a line. Only the sink's error and a refused schema end the walk.
func (p *pass) one(text []byte) error {
	p.lines++
	item, err := p.decoder.decode(text)
	if err != nil {
		p.note(fmt.Errorf("%s line %d: %w", p.file, p.lines, err))
		return nil
	}
	if p.ended {
		p.note(fmt.Errorf("%s line %d: after the end of the record", p.file, p.lines))
	}
	return p.deliver(item)
}

func (p *pass) deliver(l line) error {
	switch {
	case l.Observation != nil:
		p.count(l.Observation.Stage).Observations++
		return p.sink.Observation(l.Observation)
	case l.Arrival != nil:
		p.count(l.Arrival.Stage).Arrivals++
		return p.sink.Arrival(l.Arrival)
	case l.Span != nil:
		p.count(l.Span.Stage).Spans++
		return p.sink.Span(l.Span)
	case l.Sample != nil:
		p.count(l.Sample.Stage).Samples++
		return p.sink.Sample(l.Sample)
	default:
		return p.control(l)
	}
}

func (p *pass) control(l line) error {
	switch {
	case l.Schema != nil:
		return checkSchema(p.file, *l.Schema)
	case l.Mark != nil:
		p.marks[l.Mark.Stage] = *l.Mark
	case l.End != nil:
		p.ended = true
	}
	return nil
}

func (p *pass) count(stage int) *tally {
	if p.last != nil && p.last.Stage == stage {
		return p.last
	}
	if p.found[stage] == nil {
		p.found[stage] = &tally{Stage: stage}
	}
	p.last = p.found[stage]
	return p.last
}

func (p *pass) note(err error) {
	if p.bad == nil {
		p.bad = err
	}
}

// close compares what was found with what was marked.
func (p *pass) close(end error) error {
	if !errors.Is(end, io.EOF) || errors.Is(end, io.ErrUnexpectedEOF) {
		p.note(fmt.Errorf("%s ends after line %d: %w", p.file, p.lines, end))
	} else if !p.ended {
		p.note(fmt.Errorf("%s ends after line %d without an end mark", p.file, p.lines))
	}
	broken := p.broken()
	if len(broken) > 0 {
		p.note(fmt.Errorf("%s does not hold the items that its writer counted", p.file))
	}
	if p.bad == nil {
		return nil
	}
	return &Incomplete{Stages: broken, Cause: p.bad}
}

// broken lists the stages whose items are not those that the last mark of the
// stage counted. A stage without a mark is broken unless it is empty in a
// record that was ended properly.
func (p *pass) broken() []int {
	all := map[int]bool{}
	for i := range p.stages {
		all[i] = true
	}
	for i := range p.found {
		all[i] = true
	}
	for i := range p.marks {
		all[i] = true
	}
	maps.DeleteFunc(all, func(i int, _ bool) bool { return p.whole(i) })
	return slices.Sorted(maps.Keys(all))
}

func (p *pass) whole(stage int) bool {
	mark, marked := p.marks[stage]
	found := p.found[stage]
	if found == nil {
		return marked && mark == (tally{Stage: stage}) || !marked && p.ended
	}
	return marked && mark == *found
}

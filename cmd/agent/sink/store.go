package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
)

// chunkSpans is how many spans are packed and forgotten together.
const chunkSpans = 1024

// store keeps the newest spans within a bound, in order of arrival. A span is
// nearly a kilobyte of text, most of it the same as the one before, so whole
// chunks are compressed: 300,000 spans fit in some tens of megabytes.
type store struct {
	capacity int
	packer   *zstd.Encoder
	unpacker *zstd.Decoder

	mu         sync.Mutex
	packed     []chunk
	open       chunk // the newest, not compressed yet
	last       uint64
	overflowed uint64
}

// chunk is up to chunkSpans lines of JSON with consecutive numbers.
type chunk struct {
	first  uint64 // number of the first span
	count  int
	packed bool // data is compressed
	data   []byte
}

// newStore keeps at least capacity spans, and at most one chunk more.
func newStore(capacity int) (*store, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("set up decompression: %w", err)
	}
	return &store{capacity: capacity, packer: packer, unpacker: unpacker}, nil
}

// add keeps spans, numbering them.
func (s *store) add(spans []span.Span) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range spans {
		one.Number = s.last + 1
		line, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("encode span %s: %w", one.SpanID, err)
		}
		s.last++
		s.append(append(line, '\n'))
	}
	return nil
}

// append puts one line into the open chunk, closing it when it is full.
func (s *store) append(line []byte) {
	if s.open.count == 0 {
		s.open.first = s.last
	}
	s.open.data = append(s.open.data, line...)
	s.open.count++
	if s.open.count < chunkSpans {
		return
	}
	s.packed = append(s.packed, chunk{first: s.open.first, count: s.open.count, packed: true, data: s.packer.EncodeAll(s.open.data, nil)})
	s.open = chunk{data: s.open.data[:0]}
	for len(s.packed) > 1 && s.held()-s.packed[0].count >= s.capacity {
		s.overflowed += uint64(s.packed[0].count)
		s.packed[0] = chunk{}
		s.packed = s.packed[1:]
	}
}

func (s *store) held() int {
	n := s.open.count
	for _, c := range s.packed {
		n += c.count
	}
	return n
}

// clear forgets what is held. Numbers go on, so that a reader who asks for what
// came since is never given a number twice.
func (s *store) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packed, s.open, s.overflowed = nil, chunk{}, 0
}

func (s *store) stats() span.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return span.Stats{Held: s.held(), Received: s.last, Overflowed: s.overflowed, Capacity: s.capacity}
}

// snapshot is what is held now, safe to read while more comes in.
func (s *store) snapshot() []chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	chunks := append([]chunk(nil), s.packed...)
	open := s.open
	open.data = bytes.Clone(s.open.data)
	return append(chunks, open)
}

// write gives out the lines of all spans with a number above since.
func (s *store) write(w io.Writer, since uint64) error {
	for _, c := range s.snapshot() {
		if c.count == 0 || c.first+uint64(c.count)-1 <= since {
			continue
		}
		lines, err := s.lines(c, since)
		if err != nil {
			return err
		}
		if _, err := w.Write(lines); err != nil {
			return fmt.Errorf("write spans: %w", err)
		}
	}
	return nil
}

// lines are a chunk's lines above a number.
func (s *store) lines(c chunk, since uint64) ([]byte, error) {
	data := c.data
	if c.packed {
		var err error
		if data, err = s.unpacker.DecodeAll(c.data, nil); err != nil {
			return nil, fmt.Errorf("decompress spans from %d: %w", c.first, err)
		}
	}
	skip := 0
	if since >= c.first {
		skip = int(since - c.first + 1)
	}
	return afterLines(data, skip), nil
}

// afterLines is what follows the first n lines.
func afterLines(data []byte, n int) []byte {
	for ; n > 0; n-- {
		data = data[bytes.IndexByte(data, '\n')+1:]
	}
	return data
}

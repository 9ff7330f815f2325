package claim

// order puts requests into their intended order: outcomes come by Seq in any
// order and are handed on as soon as all predecessors are there. It keeps one
// byte per request.
type order struct {
	cells []uint8
	next  int
	feed  func(seq int, outcome uint8)
}

// Outcomes below reserved are the claim's own.
const (
	unseen   uint8 = 0
	notMine  uint8 = 255 // a request of another target: skipped
	reserved uint8 = 250
)

func (o *order) put(seq int, outcome uint8) {
	for len(o.cells) <= seq {
		o.cells = append(o.cells, unseen)
	}
	o.cells[seq] = outcome
	for o.next < len(o.cells) && o.cells[o.next] != unseen {
		o.step()
	}
}

// rest hands on what waits behind requests that never came: skipped by plan.
func (o *order) rest() {
	for o.next < len(o.cells) {
		o.step()
	}
}

func (o *order) step() {
	if cell := o.cells[o.next]; cell != notMine && cell != unseen && o.feed != nil {
		o.feed(o.next, cell)
	}
	o.next++
}

// marks keeps a byte of flags or counts per request.
type marks []uint8

// at gives the byte of a request, growing as needed; nil for a number that no
// planned request has.
func (m *marks) at(seq, planned int) *uint8 {
	if seq < 0 || seq >= min(planned, mostRequests) {
		return nil
	}
	for len(*m) <= seq {
		*m = append(*m, 0)
	}
	return &(*m)[seq]
}

// of reads without growing.
func (m marks) of(seq int) uint8 {
	if seq < 0 || seq >= len(m) {
		return 0
	}
	return m[seq]
}

// connection names one client connection of a stage.
type connection uint64

func connectionOf(client, conn int) connection {
	return connection(uint64(uint32(client))<<32 | uint64(uint32(conn)))
}

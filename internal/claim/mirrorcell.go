package claim

// Of each request one byte: three counts of two bits that saturate at 3, and
// two flags.
const (
	primaryShift uint8 = 0
	copyShift    uint8 = 2
	logShift     uint8 = 4
	flagSent     uint8 = 1 << 6
	flagAstray   uint8 = 1 << 7 // the client's answer is not the primary's: none, or of another
)

func counted(cell, shift uint8) int { return int(cell >> shift & 3) }

func bump(cell *uint8, shift uint8) {
	if counted(*cell, shift) < 3 {
		*cell += 1 << shift
	}
}

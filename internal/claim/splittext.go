package claim

import (
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// describe puts the numbers of a split into words.
func (s *split) describe(v *record.Verdict) {
	if s.shown == nil {
		s.shown, s.decided = s.tally, s.judged
	}
	v.N, v.Declared = s.decided, s.declared()
	v.Observed, v.Allowed = s.observed(), s.allowed()
	for i, arm := range s.params.Arms {
		figure(v, "hits "+arm.Version, s.shown[i+1])
		figure(v, "share "+arm.Version, fmt.Sprintf("%.5f", float64(s.shown[i+1])/float64(max(1, s.decided))))
	}
	figure(v, "requests in the stage", s.judged)
	figure(v, "answered by no declared version", s.tally[0])
	for _, t := range s.tests {
		figure(v, "false alarm "+s.params.Arms[t.arm-1].Version, probability(t.design.FalseLow+t.design.FalseHigh))
		figure(v, "miss "+s.params.Arms[t.arm-1].Version, probability(max(t.design.MissLow, t.design.MissHigh)))
	}
	s.paths.figures(v)
}

func (s *split) declared() string {
	total, parts := 0, []string{}
	for _, arm := range s.params.Arms {
		total += arm.Weight
	}
	for _, arm := range s.params.Arms {
		parts = append(parts, fmt.Sprintf("%s %.4g %%", arm.Version, 100*float64(arm.Weight)/float64(total)))
	}
	return strings.Join(parts, ", ")
}

func (s *split) observed() string {
	var parts []string
	for i, arm := range s.params.Arms {
		if i == 0 {
			parts = append(parts, arm.Version+" "+ratio(s.shown[1], s.decided))
			continue
		}
		parts = append(parts, arm.Version+" "+percent(s.shown[i+1], s.decided))
	}
	return strings.Join(parts, ", ")
}

// allowed is the band of each tested arm where its test ended, and where the
// replicas lie.
func (s *split) allowed() string {
	var parts []string
	for _, t := range s.tests {
		lo, hi := t.design.Band(t.trial.N)
		parts = append(parts, fmt.Sprintf("%s %d..%d of %d", s.params.Arms[t.arm-1].Version, lo, hi, t.trial.N))
	}
	for _, arm := range s.params.Arms {
		if arm.Weight == 0 {
			parts = append(parts, arm.Version+" 0")
		}
	}
	if len(s.tests) == 0 {
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s at alpha %s", strings.Join(parts, ", "), probability(s.promise.Alpha))
}

// disagrees compares the two oracles request by request. What the harness
// cannot explain is its own fault; what only the mesh can do is the mesh's.
func (s *split) disagrees(v *record.Verdict) bool {
	found := s.ledger.compare(s.order.cells)
	figure(v, "requests seen by both oracles", found.agree)
	figure(v, "delivered more than once", found.repeated)
	switch {
	case found.unheard.text != "":
		v.FirstOdd = bare(s.stage, found.unheard.seq)
		inconclusive(v, record.Harness, fmt.Sprintf("%d answered requests are in no pod's ledger, first %s", found.unheardCount, v.FirstOdd))
	case found.contrary.text != "":
		v.FirstOdd = bare(s.stage, found.contrary.seq)
		inconclusive(v, record.Harness, fmt.Sprintf("answer and ledger name different versions for %d requests, first %s: one of the two oracles is wrong", found.contraryCount, v.FirstOdd))
	case found.both.text != "":
		v.FirstOdd = bare(s.stage, found.both.seq)
		v.Signature = "requests delivered to two versions"
		violated(v, "%d requests were delivered to more than one version, first %s", found.bothCount, v.FirstOdd)
	default:
		return false
	}
	return true
}

// ledger is the second oracle: one byte per request with a bit per version that
// received it.
type ledger struct{ heard marks }

// ledgerAgain is set when a request arrived more than once, ledgerOdd when it
// arrived at a version that is not declared.
const (
	ledgerAgain uint8 = 1 << 7
	ledgerOdd   uint8 = 1 << 6
)

func (l *ledger) add(seq, planned int, arm uint8) {
	cell := l.heard.at(seq, planned)
	if cell == nil {
		return
	}
	if *cell != 0 {
		*cell |= ledgerAgain
	}
	if arm == oddArm {
		*cell |= ledgerOdd
		return
	}
	*cell |= 1 << (arm - 1)
}

type disagreement struct {
	agree, repeated                        int
	unheardCount, contraryCount, bothCount int
	unheard, contrary, both                oddest
}

// compare holds the ledger against the arms that the answers named.
func (l *ledger) compare(cells []uint8) disagreement {
	var d disagreement
	for seq, arm := range cells {
		if arm == unseen || arm >= reserved {
			continue
		}
		heard := l.heard.of(seq)
		named, others := heard&(1<<(arm-1)), heard&^ledgerAgain&^(1<<(arm-1))
		if heard&ledgerAgain != 0 {
			d.repeated++
		}
		switch {
		case heard == 0:
			d.unheardCount++
			d.unheard.add(seq, func() string { return "unheard" })
		case named == 0:
			d.contraryCount++
			d.contrary.add(seq, func() string { return "contrary" })
		case others != 0:
			d.bothCount++
			d.both.add(seq, func() string { return "both" })
		default:
			d.agree++
		}
	}
	return d
}

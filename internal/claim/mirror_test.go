package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func mirrorParams(perMille int, oracle string) MirrorParams {
	return MirrorParams{Primary: Selector{Service: "cars", Version: "v1"}, Mirror: Selector{Service: "cars-v2"}, PerMille: perMille, Oracle: oracle, QuietMs: 2000}
}

// mirrorScene copies the requests for which copied is true, to ledger and log.
func mirrorScene(hits int, copied func(seq int) bool) *scene {
	s := new(scene)
	s.addLedger(s.addStage("s", hits, nil))
	for seq := range hits {
		if copied(seq) {
			s.arrive(0, seq, "cars-v2", "v2")
			s.arrive(0, seq, "cars-v2", "v2").Source = "log"
		}
	}
	return s
}

func always(int) bool { return true }

func TestMirrorExactlyOnce(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindMirror, Params: Params(mirrorParams(1000, OracleBoth))})
	assert.Equal(t, 6905, p.N)
	sound := mirrorScene(p.N, always)
	drop := func(s *scene, i int) { s.arrivals = append(s.arrivals[:i:i], s.arrivals[i+1:]...) }
	for name, c := range map[string]struct {
		spoil   func(*scene)
		want    record.Outcome
		blame   record.Blame
		mention string
	}{
		"sound":                 {func(*scene) {}, record.Held, "", "each of 6905"},
		"copy lost":             {func(s *scene) { drop(s, p.N); drop(s, p.N) }, record.Violated, record.Mesh, "1 of 6905 requests were not mirrored"},
		"copy doubled":          {func(s *scene) { s.arrivals = append(s.arrivals, s.arrivals[p.N], s.arrivals[p.N+1]) }, record.Violated, record.Mesh, "1 duplicated"},
		"lost and doubled":      {func(s *scene) { s.arrivals[p.N].Seq, s.arrivals[p.N+1].Seq = 9, 9 }, record.Violated, record.Mesh, "1 duplicated"},
		"foreign copy":          {func(s *scene) { s.arrive(0, p.N+5, "cars-v2", "v2") }, record.Violated, record.Mesh, "never sent"},
		"foreign negative":      {func(s *scene) { s.arrive(0, -1, "cars-v2", "v2") }, record.Violated, record.Mesh, "never sent"},
		"log line lost":         {func(s *scene) { drop(s, p.N+1) }, record.Inconclusive, record.Harness, "ledger and log"},
		"ledger entry lost":     {func(s *scene) { drop(s, p.N) }, record.Inconclusive, record.Harness, "ledger and log"},
		"primary ledger lost":   {func(s *scene) { drop(s, 0) }, record.Inconclusive, record.Harness, "no ledger of the primary"},
		"primary doubled":       {func(s *scene) { s.arrivals = append(s.arrivals, s.arrivals[0]) }, record.Violated, record.Mesh, "duplicated at the primary"},
		"primary lost for real": {func(s *scene) { drop(s, 0); s.observations[0].Class = record.ClassReset }, record.Violated, record.Mesh, "lost at the primary"},
		"answered by another":   {func(s *scene) { drop(s, 0); s.observations[0].Version = "v2" }, record.Violated, record.Mesh, "lost at the primary"},
		"answered by nobody":    {func(s *scene) { drop(s, 0); s.observations[0].Service = "" }, record.Violated, record.Mesh, "lost at the primary"},
		"ledgers read too soon": {func(s *scene) {
			drop(s, p.N)
			drop(s, p.N)
			s.run.Stages[0].Collected = s.run.Stages[0].Ended.Add(time.Second)
		}, record.Inconclusive, record.Harness, "ledgers were read 1s after"},
		"nothing mirrored": {func(s *scene) { s.arrivals = s.arrivals[:p.N] }, record.Violated, record.Mesh, "6905 of 6905 requests were not"},
	} {
		s := sound.clone()
		c.spoil(s)
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Equal(t, c.blame, v.Blame, name)
		assert.Contains(t, v.Detail, c.mention, name)
	}
	short := mirrorScene(p.N-1, always).judge(t, p)
	assert.Equal(t, record.Inconclusive, short.Verdict)
}

func TestTheLogAloneIsEnough(t *testing.T) {
	params := mirrorParams(1000, OracleLog)
	params.NoPrimary = true
	p := plan(t, record.Promise{Kind: KindMirror, Params: Params(params)})
	s := mirrorScene(p.N, always)
	var logs []record.Arrival
	for _, a := range s.arrivals {
		if a.Source == "log" {
			logs = append(logs, a)
		}
	}
	s.arrivals = logs
	assert.Equal(t, record.Held, s.judge(t, p).Verdict)
	s.arrivals = logs[1:]
	assert.Equal(t, record.Violated, s.judge(t, p).Verdict)
}

func TestMirrorShares(t *testing.T) {
	for perMille, delta := range map[int]int{100: 20, 500: 50} {
		p := plan(t, record.Promise{Kind: KindMirror, Delta: delta, Params: Params(mirrorParams(perMille, OracleLedger))})
		for _, c := range []struct {
			share int
			want  record.Outcome
		}{{perMille, record.Held}, {perMille - delta, record.Violated}, {perMille + delta, record.Violated}, {1000, record.Violated}, {0, record.Violated}} {
			s := mirrorScene(p.N, func(seq int) bool { return seq*7919%1000 < c.share })
			v := s.judge(t, p)
			assert.Equal(t, c.want, v.Verdict, "%d of %d: %s", c.share, perMille, v.Detail)
		}
		s := mirrorScene(p.N, func(seq int) bool { return seq*7919%1000 < perMille })
		s.arrive(0, s.arrivals[p.N].Seq, "cars-v2", "v2")
		assert.Contains(t, s.judge(t, p).Detail, "1 duplicated", "a right share does not excuse duplicates")
	}
}

func TestNothingIsMirrored(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindMirror, Params: Params(mirrorParams(0, OracleLedger))})
	s := mirrorScene(p.N, func(int) bool { return false })
	assert.Equal(t, record.Held, s.judge(t, p).Verdict)
	s.arrive(0, 17, "cars-v2", "v2")
	v := s.judge(t, p)
	assert.Equal(t, record.Violated, v.Verdict)
	assert.Contains(t, v.Detail, "none was to be")
}

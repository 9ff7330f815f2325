package fate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

func TestAMutantIsKilledOnlyByWhatItNames(t *testing.T) {
	expect := fate.Expectation{Kills: []string{"share", "rows"}, Also: []string{"latency"}}
	for name, c := range map[string]struct {
		share, rows, latency, other record.Outcome
		want                        fate.Fate
	}{
		"all that must":                {record.Violated, record.Violated, record.Held, record.Held, fate.Killed},
		"and a consequence":            {record.Violated, record.Violated, record.Violated, record.Held, fate.Killed},
		"and an unrelated one":         {record.Violated, record.Violated, record.Held, record.Violated, fate.Beyond},
		"nobody":                       {record.Held, record.Held, record.Held, record.Held, fate.Survived},
		"one of two":                   {record.Violated, record.Held, record.Held, record.Held, fate.Elsewhere},
		"only an unrelated one":        {record.Held, record.Held, record.Held, record.Violated, fate.Elsewhere},
		"one of two cannot tell":       {record.Violated, record.Inconclusive, record.Held, record.Held, fate.Inconclusive},
		"a stray while one is open":    {record.Violated, record.Inconclusive, record.Held, record.Violated, fate.Elsewhere},
		"a stray while all are open":   {record.Inconclusive, record.Inconclusive, record.Held, record.Violated, fate.Elsewhere},
		"an unrelated one is open":     {record.Violated, record.Violated, record.Held, record.Inconclusive, fate.Killed},
		"unsupported is no kill":       {record.Unsupported, record.Unsupported, record.Held, record.Held, fate.Survived},
		"a known deviation is no kill": {record.ViolatedKnown, record.Violated, record.Held, record.Held, fate.Elsewhere},
	} {
		judged := []fate.Judgement{{"share", c.share}, {"rows", c.rows}, {"latency", c.latency}, {"other", c.other}}
		assert.Equal(t, c.want, expect.Of(judged), name)
	}
	assert.Equal(t, fate.Survived, expect.Of(nil), "what was not judged noticed nothing")
}

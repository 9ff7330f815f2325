package prometheus_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/sample"
	"github.com/wayproof/wayproof/reports/prometheus"
)

var line = regexp.MustCompile(`^[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? [-+0-9.e]+$`)

func render(t *testing.T, run *record.Run) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, prometheus.Render(&b, run))
	return b.String()
}

func TestEveryLineIsOfTheFormat(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	hostile.Run().Stages[0].Name = "a\"b\\c\nd"
	for name, run := range map[string]*record.Run{"sample": sample.New(1724, 1).Run(), "hostile": hostile.Run(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			family, families, seen := "", map[string]bool{}, map[string]bool{}
			text := render(t, run)
			for row := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
				if rest, ok := strings.CutPrefix(row, "# TYPE "); ok {
					family, _, _ = strings.Cut(rest, " ")
					require.False(t, families[family], "%s stands in one piece", family)
					families[family] = true
				}
				if strings.HasPrefix(row, "#") {
					continue
				}
				require.Regexp(t, line, row)
				require.True(t, strings.HasPrefix(row, family), row)
				require.False(t, seen[row[:strings.LastIndex(row, " ")]], "twice: %s", row)
				seen[row[:strings.LastIndex(row, " ")]] = true
			}
		})
	}
}

func TestValues(t *testing.T) {
	text := render(t, sample.New(1724, 1).Run())
	for _, want := range []string{
		`wayproof_run_outcome{outcome="violated"} 1`, `wayproof_run_outcome{outcome="held"} 0`,
		`wayproof_promises{outcome="held"} 12`, `wayproof_promises{outcome="known"} 1`,
		`wayproof_promise_outcome{promise="task4/split-70-30",task="task4",stand_in="false",outcome="violated"} 1`,
		`wayproof_promise_units{promise="task4/split-70-30",task="task4",unit="request"} 5600`,
		`wayproof_stage_requests{stage="task4/split-70-30/applied",state="sent"} 5600`,
		`wayproof_stage_lag_seconds{stage="task4/split-70-30/applied",quantile="0.99"} 0.0009`,
	} {
		assert.Contains(t, text, want+"\n")
	}
	assert.Contains(t, render(t, &record.Run{}), `wayproof_run_outcome{outcome="inconclusive"} 1`)
}

package upstream

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	upstream "sigs.k8s.io/gateway-api/conformance/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/conformance"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

// TestUpstreamReadsWhatIsWritten decodes strictly: a field that upstream does
// not know is an error. Written again by upstream's types it is the same report.
func TestUpstreamReadsWhatIsWritten(t *testing.T) {
	for name, run := range map[string]*record.Run{"sample": sample.New(1724, 1).Run(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, conformance.Render(&b, run))
			var report upstream.ConformanceReport
			require.NoError(t, yaml.UnmarshalStrict(b.Bytes(), &report))
			require.NoError(t, report.Implementation.Validate())
			again, err := yaml.Marshal(report)
			require.NoError(t, err)
			assert.Equal(t, b.String(), string(again))
			assert.Equal(t, conformance.Mode, report.Mode)
			assert.Equal(t, "ConformanceReport", report.Kind)
		})
	}
}

// TestUpstreamFieldsAreAllKnown goes the other way: a full report of upstream's
// types decodes strictly into ours.
func TestUpstreamFieldsAreAllKnown(t *testing.T) {
	full := upstream.ConformanceReport{
		Implementation: upstream.Implementation{Contact: []string{"x"}},
		ProfileReports: []upstream.ProfileReport{{
			Core:     upstream.Status{Result: upstream.Failure, SkippedTests: []string{"a"}, FailedTests: []string{"b"}},
			Extended: &upstream.ExtendedStatus{SupportedFeatures: []string{"c"}, UnsupportedFeatures: []string{"d"}},
		}},
	}
	text, err := yaml.Marshal(full)
	require.NoError(t, err)
	var report conformance.Report
	require.NoError(t, yaml.UnmarshalStrict(text, &report))
	assert.Equal(t, conformance.Failure, report.Profiles[0].Core.Result)
	assert.Equal(t, conformance.Failure, string(upstream.Failure))
	assert.Equal(t, conformance.Partial, string(upstream.Partial))
	assert.Equal(t, conformance.Success, string(upstream.Success))
}

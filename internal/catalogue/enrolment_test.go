package catalogue_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// A service that the demo gains must be enrolled and asked too.
func TestEnrolmentIsAboutEveryServiceOfTheDemo(t *testing.T) {
	picked, err := catalogue.Select(catalogue.Traffic(), catalogue.Selection{Focus: "^task2/enrolment "})
	require.NoError(t, err)
	for _, promise := range picked[0].Promises {
		switch promise.Kind {
		case claim.KindRows:
			var params claim.RowsParams
			require.NoError(t, json.Unmarshal(promise.Params, &params))
			for _, service := range services(t) {
				assert.Contains(t, params.Rows, service, promise.ID)
			}
		case claim.KindTable:
			checkTargets(t, picked[0], promise)
		}
	}
}

func services(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range []string{"travel/02-agency.yaml", "travel/03-portal.yaml"} {
		objects, err := manifests.Objects(file)
		require.NoError(t, err)
		for _, object := range objects {
			if object.GetKind() == "Service" {
				names = append(names, object.GetNamespace()+"/"+object.GetName())
			}
		}
	}
	require.Len(t, names, 10)
	return names
}

// checkTargets wants each service but the database to be asked, at a URL of its
// own, as often as every other.
func checkTargets(t *testing.T, scenario catalogue.Scenario, promise record.Promise) {
	t.Helper()
	var params claim.TableParams
	require.NoError(t, json.Unmarshal(promise.Params, &params))
	for _, drive := range scenario.Drives {
		if drive.Name != promise.Stages[0] {
			continue
		}
		assert.Len(t, params.Rows, len(drive.Load.Targets), promise.ID)
		assert.Equal(t, len(params.Rows)*params.PerRow, drive.Load.Hits, promise.ID)
		for _, target := range drive.Load.Targets {
			assert.Contains(t, target.URL, "http://"+target.Name+".travel-", promise.ID)
			assert.NotEqual(t, "mysqldb", target.Name)
		}
	}
}

// A span is joined by the tag, and a trace begins with the request, only if the
// load brings no context and no id of Envoy's own.
func TestTracedLoadBringsNoContext(t *testing.T) {
	for _, scenario := range catalogue.Of("task3") {
		for _, drive := range scenario.Drives {
			assert.True(t, drive.Spans, drive.Name)
			for _, target := range drive.Load.Targets {
				assert.Empty(t, target.Header, drive.Name)
			}
		}
	}
	objects, err := manifests.Objects("corrected/02_2-enable-tracing.yaml")
	require.NoError(t, err)
	for _, object := range objects {
		text, err := object.MarshalJSON()
		require.NoError(t, err)
		assert.Contains(t, string(text), `"customTags":{"x-wayproof-id":{"header":{"name":"x-wayproof-id"}}}`)
	}
}

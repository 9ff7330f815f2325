package catalogue_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

func TestTheWholeCatalogueCanBePlanned(t *testing.T) {
	scenarios := catalogue.Traffic()
	plan, err := catalogue.Plan(scenarios, 1)
	require.NoError(t, err)
	ids, stages := map[string]bool{}, map[string]bool{}
	for _, promise := range plan.Promises {
		assert.False(t, ids[promise.ID], "%s is promised twice", promise.ID)
		ids[promise.ID] = true
		t.Log(promise.ID, promise.Kind, promise.N, promise.Delta, promise.Alpha)
	}
	for _, scenario := range scenarios {
		assert.NotEmpty(t, scenario.Promises, scenario.ID)
		assert.NotZero(t, scenario.Expect, scenario.ID)
		for _, drive := range scenario.Drives {
			assert.False(t, stages[drive.Name], "stage %s is driven twice", drive.Name)
			stages[drive.Name] = true
		}
	}
}

func TestWhatAPlanLeavesOut(t *testing.T) {
	all := catalogue.Traffic()
	whole, err := catalogue.Plan(all, 1)
	require.NoError(t, err)
	assert.Empty(t, catalogue.Unselected(all, whole))
	part := whole
	part.Promises = whole.Promises[1:]
	assert.Equal(t, []record.Unselected{{ID: whole.Promises[0].ID, Task: whole.Promises[0].Task}}, catalogue.Unselected(all, part))
}

func TestEveryStageIsReadByAPromise(t *testing.T) {
	for _, scenario := range catalogue.Traffic() {
		read := map[string]bool{}
		for _, promise := range scenario.Promises {
			assert.Equal(t, scenario.Task, promise.Task, promise.ID)
			for _, stage := range promise.Stages {
				read[stage] = true
			}
		}
		for _, drive := range scenario.Drives {
			assert.True(t, read[drive.Name], "nobody reads %s", drive.Name)
		}
	}
}

func load(t *testing.T, id string) record.Load {
	t.Helper()
	picked, err := catalogue.Select(catalogue.Traffic(), catalogue.Selection{Focus: "^" + id + " "})
	require.NoError(t, err)
	require.Len(t, picked, 1)
	for _, drive := range picked[0].Drives {
		if drive.Window == catalogue.Applied {
			return drive.Load
		}
	}
	t.Fatalf("%s has no applied window", id)
	return record.Load{}
}

// The sizes that the tasks ask for.
func TestSizesAreThoseOfTheTasks(t *testing.T) {
	assert.GreaterOrEqual(t, load(t, "task7/mirror-100").Hits, 6905)
	assert.GreaterOrEqual(t, load(t, "task7/mirror-failing").Hits, 2995)
	assert.GreaterOrEqual(t, load(t, "task4/split-70-30").Hits, 5590)
	assert.GreaterOrEqual(t, load(t, "task4/split-70-30-two-waypoints").Clients, 32)
}

package replay_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/replay"
	"github.com/wayproof/wayproof/internal/synthetic"
)

// recorded writes a synthetic run to disk and gives its folder.
func recorded(t *testing.T, change func(*record.Memory)) string {
	t.Helper()
	run, err := synthetic.New(t.Context(), synthetic.Shape{Seed: 1})
	require.NoError(t, err)
	if change != nil {
		change(run)
	}
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, synthetic.Write(t.Context(), dir, run))
	return dir
}

func again(t *testing.T, dir string) (replay.Result, error) {
	t.Helper()
	reader, err := record.Open(dir)
	if err != nil {
		return replay.Result{}, err
	}
	verdicts, contradictions, err := replay.Recorded(dir, reader.Run())
	require.NoError(t, err)
	result, err := replay.Run(t.Context(), reader, verdicts)
	result.Differences = append(result.Differences, contradictions...)
	return result, err
}

func fields(result replay.Result) (names []string) {
	for _, d := range result.Differences {
		names = append(names, d.Promise+" "+d.Field)
	}
	return names
}

func TestAnUntouchedRecordAgrees(t *testing.T) {
	result, err := again(t, recorded(t, nil))
	require.NoError(t, err)
	assert.Empty(t, result.Differences)
	assert.Empty(t, result.Notes)
	assert.Equal(t, record.Held, result.Worst)
	assert.Len(t, result.Verdicts, 4)
}

func TestEditedVerdictsDiffer(t *testing.T) {
	tests := map[string]struct {
		edit  func(*record.Memory)
		want  []string
		worst record.Outcome
	}{
		"violated made held": {
			edit: func(m *record.Memory) {
				bad, _ := synthetic.New(context.Background(), synthetic.Shape{Seed: 2, First: 620})
				*m = record.Memory{Record: bad.Record}
				_ = bad.Walk(context.Background(), m)
				m.Record.Verdicts[0].Verdict = record.Held
			},
			want: []string{synthetic.Split + " verdict"}, worst: record.Violated,
		},
		"n": {
			edit: func(m *record.Memory) { m.Record.Verdicts[0].N++ },
			want: []string{synthetic.Split + " n"}, worst: record.Held,
		},
		"observed, with a huge string": {
			edit: func(m *record.Memory) { m.Record.Verdicts[1].Observed = string(make([]byte, 1<<20)) },
			want: []string{synthetic.Latency + " observed"}, worst: record.Held,
		},
		"known without a link is no known deviation": {
			edit: func(m *record.Memory) { m.Record.Verdicts[0].Verdict = record.ViolatedKnown },
			want: []string{synthetic.Split + " verdict"}, worst: record.Held,
		},
		"one twice": {
			edit: func(m *record.Memory) { m.Record.Verdicts = append(m.Record.Verdicts, m.Record.Verdicts[0]) },
			want: []string{synthetic.Split + " presence"}, worst: record.Held,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := again(t, recorded(t, test.edit))
			require.NoError(t, err)
			assert.Equal(t, test.want, fields(result))
			assert.Equal(t, test.worst, result.Worst)
		})
	}
}

func TestAnEditedObservationDiffers(t *testing.T) {
	dir := recorded(t, func(m *record.Memory) {
		spoilt := record.Memory{Record: m.Record}
		_ = m.Walk(context.Background(), record.Handlers{OnObservation: func(o *record.Observation) error {
			if o.Stage == 0 && o.Seq == 17 {
				o.Version = "v9"
			}
			return spoilt.Observation(o)
		}})
		*m = record.Memory{Record: m.Record}
		_ = spoilt.Walk(context.Background(), m)
	})
	result, err := again(t, dir)
	require.NoError(t, err)
	assert.Contains(t, fields(result), synthetic.Split+" verdict")
	assert.Equal(t, record.Violated, result.Worst)
}

func TestTheTwoFilesOfVerdictsContradict(t *testing.T) {
	dir := recorded(t, nil)
	verdicts, err := record.ReadVerdicts(dir)
	require.NoError(t, err)
	verdicts[2].Verdict = record.Violated
	text, err := json.Marshal(verdicts[1:])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, record.VerdictsFile), text, 0o600))
	result, err := again(t, dir)
	require.NoError(t, err)
	assert.Contains(t, fields(result), synthetic.Split+" presence in run.json and verdicts.json")
	assert.Contains(t, fields(result), synthetic.Errors+" verdict in run.json and verdicts.json")
}

// TestEveryFieldOfAVerdictIsCompared edits one field after the other, also those
// that are added one day.
func TestEveryFieldOfAVerdictIsCompared(t *testing.T) {
	run := &record.Memory{Record: record.Run{Plan: record.Plan{Promises: []record.Promise{{ID: "p", Kind: claim.KindEvery, Stages: []string{"none"}}}}}}
	first, err := replay.Run(t.Context(), run, nil)
	require.NoError(t, err)
	untouched, err := replay.Run(t.Context(), run, first.Verdicts)
	require.NoError(t, err)
	require.Empty(t, untouched.Differences)
	fields := reflect.TypeFor[record.Verdict]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		t.Run(name, func(t *testing.T) {
			edited := slices.Clone(first.Verdicts)
			edit(reflect.ValueOf(&edited[0]).Elem().Field(i))
			result, err := replay.Run(t.Context(), run, edited)
			require.NoError(t, err)
			same := result.Agrees() && len(result.Notes) == len(untouched.Notes)
			assert.Equal(t, name == "Evidence", same, "evidence lies beside the record")
		})
	}
}

// edit changes a field of a verdict, whatever it holds.
func edit(field reflect.Value) {
	switch field.Kind() {
	case reflect.String:
		field.SetString(field.String() + "x")
	case reflect.Int:
		field.SetInt(field.Int() + 1)
	case reflect.Float64:
		field.SetFloat(field.Float() + 1e-9)
	case reflect.Bool:
		field.SetBool(!field.Bool())
	default:
		field.Set(reflect.Append(reflect.MakeSlice(field.Type(), 0, 1), reflect.Zero(field.Type().Elem())))
	}
}

func TestThePlanMayNotBeEdited(t *testing.T) {
	tests := map[string]struct {
		edit func(*record.Plan)
		want string
	}{
		"a bound":           {func(p *record.Plan) { p.Promises[0].Delta++ }, synthetic.Split},
		"a promise is gone": {func(p *record.Plan) { p.Promises = p.Promises[:3] }, synthetic.Recovery},
		"a promise is new":  {func(p *record.Plan) { p.Promises = append(p.Promises, record.Promise{ID: "new"}) }, "new"},
		"the budget":        {func(p *record.Plan) { p.Alpha *= 2 }, "plan"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := recorded(t, nil)
			plan, err := record.ReadPlan(dir)
			require.NoError(t, err)
			test.edit(&plan)
			text, err := json.Marshal(plan)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, record.PlanFile), text, 0o600))
			result, err := again(t, dir)
			require.NoError(t, err)
			assert.Equal(t, []string{test.want + " plan in plan.json and run.json"}, fields(result))
		})
	}
}

func TestOnePromiseOfAReplay(t *testing.T) {
	run, err := synthetic.New(t.Context(), synthetic.Shape{Seed: 1})
	require.NoError(t, err)
	result, err := replay.Run(t.Context(), run, run.Record.Verdicts[1:])
	require.NoError(t, err)
	assert.Equal(t, 3, result.Compared)
	for id, compared := range map[string]int{synthetic.Split: 0, synthetic.Latency: 1} {
		one, err := result.Of(id)
		require.NoError(t, err)
		assert.Equal(t, compared, one.Compared, "%s", id)
	}
	_, err = result.Of("none")
	require.Error(t, err)
}

func TestACutRecordIsJudgedAsFarAsItGoes(t *testing.T) {
	dir := recorded(t, nil)
	path := filepath.Join(dir, record.ObservationsFile)
	info, err := os.Stat(path)
	require.NoError(t, err)
	for _, keep := range []int64{0, 10, info.Size() / 2, info.Size() - 1} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text[:keep], 0o600))
		result, err := again(t, dir)
		require.NoError(t, err, "cut at %d", keep)
		assert.Equal(t, record.Inconclusive, result.Worst, "cut at %d", keep)
		assert.Contains(t, result.Notes[0], "incomplete")
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
}

func TestMissingStagesAreNamed(t *testing.T) {
	dir := recorded(t, func(m *record.Memory) { m.Record.Stages = m.Record.Stages[:1] })
	result, err := again(t, dir)
	require.NoError(t, err)
	assert.Contains(t, result.Notes, "1 stages ("+synthetic.KillStage+") planned and not in the record: what reads them is inconclusive")
	assert.Equal(t, record.Held, result.Verdicts[0].Verdict, "what can be said is said")
	assert.Equal(t, record.Inconclusive, result.Worst)
}

func TestOnlyAPlanIsLeft(t *testing.T) {
	dir := recorded(t, nil)
	for _, name := range []string{record.RunFile, record.VerdictsFile, record.ObservationsFile} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	result, err := again(t, dir)
	require.NoError(t, err)
	assert.Len(t, result.Verdicts, 4)
	assert.Equal(t, record.Inconclusive, result.Worst)
	assert.Empty(t, result.Differences)
}

func TestAnEmptyPlanIsNotGreen(t *testing.T) {
	result, err := replay.Run(t.Context(), &record.Memory{}, nil)
	require.NoError(t, err)
	assert.Equal(t, record.Inconclusive, result.Worst)
}

func TestASchemaFromTheFutureIsRefused(t *testing.T) {
	dir := recorded(t, nil)
	path := filepath.Join(dir, record.RunFile)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var head map[string]any
	require.NoError(t, json.Unmarshal(text, &head))
	head["schema"] = record.Schema + 41
	text, err = json.Marshal(head)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err = again(t, dir)
	var future *record.SchemaError
	require.ErrorAs(t, err, &future)
	assert.Equal(t, record.Schema+41, future.Got)
}

func TestVerdictsOfNoPromiseStand(t *testing.T) {
	dir := recorded(t, func(m *record.Memory) {
		m.Record.Verdicts = append(m.Record.Verdicts, record.Verdict{ID: "known-deviations/x", Verdict: record.Violated})
	})
	result, err := again(t, dir)
	require.NoError(t, err)
	assert.Equal(t, record.Violated, result.Worst, "leaving it out would look better")
	assert.Empty(t, result.Differences)
}

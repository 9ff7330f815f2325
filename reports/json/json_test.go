package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/sample"
	"github.com/wayproof/wayproof/reports/json"
)

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema.json", doc))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func check(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return schema.Validate(doc)
}

// written makes the files as a run does.
func written(t *testing.T, run *record.Run) (head, verdicts []byte) {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.WriteRun(run))
	require.NoError(t, w.WriteVerdicts(run.Verdicts))
	require.NoError(t, w.Close())
	head, err = os.ReadFile(filepath.Join(dir, record.RunFile))
	require.NoError(t, err)
	verdicts, err = os.ReadFile(filepath.Join(dir, record.VerdictsFile))
	require.NoError(t, err)
	return head, verdicts
}

func TestWhatARunWritesHoldsAgainstTheSchemas(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	for name, run := range map[string]*record.Run{
		"sample": sample.New(1724, 1).Run(), "hostile": hostile.Run(), "empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			head, verdicts := written(t, run)
			require.NoError(t, check(t, compile(t, json.RunSchema()), head))
			require.NoError(t, check(t, compile(t, json.VerdictsSchema()), verdicts))
			var rendered bytes.Buffer
			require.NoError(t, json.Render(&rendered, run))
			require.NoError(t, check(t, compile(t, json.VerdictsSchema()), rendered.Bytes()))
		})
	}
}

func TestSchemasRefuseWhatIsWrong(t *testing.T) {
	head, verdicts := written(t, sample.New(1724, 1).Run())
	for name, change := range map[string][2]string{
		"an outcome that does not exist": {`"verdict": "held"`, `"verdict": "passed"`},
		"a count in words":               {`"n": 5600`, `"n": "5600"`},
		"a verdict without an id":        {`"id": "task4/split-70-30"`, `"name": "x"`},
		"a probability above one":        {`"alpha": 0.000001`, `"alpha": 2`},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(string(verdicts), change[0], change[1], 1)
			require.NotEqual(t, string(verdicts), bad)
			require.Error(t, check(t, compile(t, json.VerdictsSchema()), []byte(bad)))
		})
	}
	future := strings.Replace(string(head), `"schema": 1`, `"schema": 2`, 1)
	require.Error(t, check(t, compile(t, json.RunSchema()), []byte(future)))
}

// TestSchemasNameEveryField keeps schemas and structs from drifting apart.
func TestSchemasNameEveryField(t *testing.T) {
	var run, verdicts map[string]any
	require.NoError(t, stdjson.Unmarshal(json.RunSchema(), &run))
	require.NoError(t, stdjson.Unmarshal(json.VerdictsSchema(), &verdicts))
	defs := run["$defs"].(map[string]any)
	assert.Equal(t, fields(reflect.TypeFor[record.Run]()), properties(run))
	for name, typ := range map[string]reflect.Type{
		"verdict": reflect.TypeFor[record.Verdict](), "figure": reflect.TypeFor[record.Figure](),
		"lack": reflect.TypeFor[record.Lack](), "component": reflect.TypeFor[record.Component](),
		"environment": reflect.TypeFor[record.Environment](), "plan": reflect.TypeFor[record.Plan](),
		"promise": reflect.TypeFor[record.Promise](), "stage": reflect.TypeFor[record.Stage](),
		"load": reflect.TypeFor[record.Load](), "target": reflect.TypeFor[record.Target](),
		"health": reflect.TypeFor[record.Health](), "window": reflect.TypeFor[record.Window](),
		"event": reflect.TypeFor[record.Event](), "finding": reflect.TypeFor[record.Finding](), "design": reflect.TypeFor[record.Design](),
	} {
		assert.Equal(t, fields(typ), properties(defs[name]), name)
	}
	for name, def := range verdicts["$defs"].(map[string]any) {
		assert.Equal(t, defs[name], def, "both schemas agree about %s", name)
	}
	assert.EqualValues(t, record.Schema, run["properties"].(map[string]any)["schema"].(map[string]any)["const"])
}

func fields(typ reflect.Type) map[string]bool {
	out := map[string]bool{}
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out[name] = true
	}
	return out
}

func properties(schema any) map[string]bool {
	out := map[string]bool{}
	for name := range schema.(map[string]any)["properties"].(map[string]any) {
		out[name] = true
	}
	return out
}

package junit_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/sample"
	"github.com/wayproof/wayproof/reports/junit"
)

// grammar is what the schema of Jenkins' xunit plugin (junit-10) says about the
// elements that may occur: their attributes (those with "!" must be there) and
// their children.
var grammar = map[string]struct{ attributes, children string }{
	"testsuites": {"name time tests failures errors", "testsuite"},
	"testsuite": {
		"name! tests! failures! errors! group time skipped timestamp hostname id package file log url version",
		"testsuite properties testcase system-out system-err",
	},
	"properties": {"", "property"},
	"property":   {"name! value!", ""},
	"testcase":   {"name! time classname group", "skipped error failure system-out system-err"},
	"skipped":    {"type message", ""},
	"error":      {"type message", ""},
	"failure":    {"type message", ""},
	"system-out": {"", ""},
}

var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?$`)

// validate walks a document and holds each element against the grammar.
func validate(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			element(t, parent, token)
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func element(t *testing.T, parent string, e xml.StartElement) {
	t.Helper()
	rule, known := grammar[e.Name.Local]
	require.True(t, known, "element %s", e.Name.Local)
	if parent == "" {
		require.Equal(t, "testsuites", e.Name.Local)
	} else {
		require.Contains(t, strings.Fields(grammar[parent].children), e.Name.Local, "in %s", parent)
	}
	allowed := strings.Fields(rule.attributes)
	for _, a := range e.Attr {
		i := slices.IndexFunc(allowed, func(s string) bool { return strings.TrimSuffix(s, "!") == a.Name.Local })
		require.GreaterOrEqual(t, i, 0, "attribute %s of %s", a.Name.Local, e.Name.Local)
		allowed = slices.Delete(allowed, i, i+1)
		if a.Name.Local == "time" && e.Name.Local != "testcase" {
			require.Regexp(t, surefireTime, a.Value)
		}
	}
	for _, left := range allowed {
		require.False(t, strings.HasSuffix(left, "!"), "%s lacks %s", e.Name.Local, left)
	}
}

type parsed struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name       string `xml:"name,attr"`
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
		Case struct {
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func render(t *testing.T, run *record.Run) (string, parsed) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, junit.Render(&b, run, ""))
	var p parsed
	require.NoError(t, xml.Unmarshal([]byte(b.String()), &p))
	return b.String(), p
}

func TestStructureIsThatOfTheSchema(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	for name, run := range map[string]*record.Run{
		"sample": sample.New(1724, 1).Run(), "hostile": hostile.Run(), "empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := render(t, run)
			validate(t, text)
		})
	}
}

func TestEachOutcomeHasItsElement(t *testing.T) {
	run := sample.New(1724, 1).Run()
	_, p := render(t, run)
	require.Len(t, p.Suites, len(run.Verdicts))
	failures, unsure := 0, 0
	for i, s := range p.Suites {
		v := run.Verdicts[i]
		assert.Equal(t, v.ID, s.Name)
		assert.Equal(t, v.Task, s.Case.Class)
		assert.Equal(t, v.Verdict == record.Violated, s.Case.Failure != nil, v.ID)
		assert.Equal(t, v.Verdict == record.Inconclusive, s.Case.Error != nil, v.ID)
		assert.Equal(t, v.Verdict == record.Unsupported, s.Case.Skipped != nil, v.ID)
		assert.Equal(t, v.Verdict == record.ViolatedKnown, s.Case.Out != "", v.ID)
		if s.Case.Failure != nil {
			failures++
			assert.Equal(t, "mesh", s.Case.Failure.Type)
			assert.Equal(t, v.FirstOdd != "", strings.Contains(s.Case.Failure.Text, "first odd request"), v.ID)
		}
		if s.Case.Error != nil {
			unsure++
		}
		if s.Case.Skipped != nil {
			assert.Contains(t, s.Case.Skipped.Message, "no registry answers")
		}
	}
	assert.Equal(t, []int{len(run.Verdicts), failures, unsure}, []int{p.Tests, p.Failures, p.Errors})
	assert.Equal(t, 4, failures)
	assert.Equal(t, 2, unsure)
}

func TestPropertiesCarryTheNumbers(t *testing.T) {
	run := sample.New(1724, 1).Run()
	_, p := render(t, run)
	got := map[string]string{}
	for _, prop := range p.Suites[0].Properties {
		got[prop.Name] = prop.Value
	}
	v := run.Verdicts[0]
	for name, want := range map[string]string{
		"n": strconv.Itoa(v.N), "alpha": "1e-6", "beta": "0.001", "deltaPerMille": "50", "p": v.P,
		"observed": v.Observed, "allowed": v.Allowed, "seed": "1724", "figure share of v1 through replica b": "61.0 %",
	} {
		assert.Equal(t, want, got[name], name)
	}
}

func TestPromiseNeverJudgedIsAnError(t *testing.T) {
	run := sample.New(1724, 1).Run()
	run.Verdicts = run.Verdicts[:1]
	_, p := render(t, run)
	assert.Equal(t, len(run.Plan.Promises)-1, p.Errors)
}

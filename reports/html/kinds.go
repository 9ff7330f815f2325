package html

import (
	"encoding/json"
	"maps"
	"slices"
)

type painter func(subject) (picture, bool)

// painters are the pictures of each kind of claim, the one that it is about
// first. What has nothing to show is left out.
func painters() map[string][]painter {
	return map[string][]painter{
		"split":        {shares, drift, odd},
		"independence": {blocks, odd},
		"share":        {proportion, drift, latency, odd},
		"every":        {answers, latency, odd},
		"table":        {answers, latency, odd},
		"mirror":       {copies, latency, odd},
		"attempts":     {copies, answers, latency, odd},
		"latency":      {latency, odd, series},
		"shift":        {odd}, // and shifted, of both stages
		"balance":      {pods, odd},
		"serving":      {carriers, series, odd},
		"series":       {series, latency, odd},
		"rows":         {rows},
		"bound":        {flow, rate, latency, odd, series},
		"recovery":     {flow, latency, odd, series},
		"traces":       {exports, latency, odd},
	}
}

func paintersOf(kind string) []painter {
	if own, known := painters()[kind]; known {
		return own
	}
	return []painter{latency, odd, series} // a kind of a later version
}

// Kinds are the kinds of claim that have pictures of their own.
func Kinds() []string { return slices.Sorted(maps.Keys(painters())) }

// params are the parts of a claim's parameters that a picture shows. Fields of
// other kinds stay empty.
type params struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Label   string `json:"label"`
	Arms    []struct {
		Version string `json:"version"`
		Weight  int    `json:"weight"`
	} `json:"arms"`
	PerMille int `json:"perMille"`
	Bounds   []struct {
		Quantile  int     `json:"quantile"`
		AtLeastMs float64 `json:"atLeastMs"`
		AtMostMs  float64 `json:"atMostMs"`
	} `json:"bounds"`
	Quantiles  []int    `json:"quantiles"`
	BelowMs    float64  `json:"belowMs"`
	Targets    []string `json:"targets"`
	Conditions []struct {
		Series string `json:"series"`
		Never  *limit `json:"never"`
		Reach  *limit `json:"reach"`
		Always *limit `json:"always"`
		Last   *limit `json:"last"`
	} `json:"conditions"`
	AtLeast   int    `json:"atLeast"`
	Each      int    `json:"each"`
	BudgetPPM int    `json:"budgetPpm"`
	Window    string `json:"window"`
	FromStart bool   `json:"fromStart"`
	WithinMs  int    `json:"withinMs"`
	// Rows are texts by key in one kind and a list in another.
	Rows   json.RawMessage `json:"rows"`
	Absent []string        `json:"absent"`
}

type limit struct {
	AtLeast *float64 `json:"atLeast"`
	AtMost  *float64 `json:"atMost"`
	Above   *float64 `json:"above"`
	Below   *float64 `json:"below"`
}

// readParams reads what it can: a picture without the declared values is still
// a picture.
func readParams(text json.RawMessage) params {
	var known params
	if json.Unmarshal(text, &known) != nil {
		return params{}
	}
	return known
}

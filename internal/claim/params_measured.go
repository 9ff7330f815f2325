package claim

// Measures of LatencyParams.Measure.
const (
	FromIntended = "intended" // end of the answer since the intended instant; the default
	FromSent     = "sent"     // since it was sent: service time
)

// LatencyParams: quantiles of the latency of the selected requests are within
// bounds, by order statistics, for any distribution. Held needs every bound
// shown with confidence 1-Beta, violated one bound refuted with confidence
// 1-Alpha; between them the claim is inconclusive. A timeout counts as "at least
// its timeout", never as fast.
type LatencyParams struct {
	Bounds  []QuantileBound `json:"bounds"`
	Measure string          `json:"measure,omitempty"`
	// Where selects requests; nil is all.
	Where   *Predicate `json:"where,omitempty"`
	Targets []string   `json:"targets,omitempty"`
	// Window is that of BoundParams. A request of it that was skipped counts as one
	// that was slower than every upper bound.
	Window string `json:"window,omitempty"`
	// Looks is how often, at most, the bounds are looked at while the load runs: after
	// N requests, 2N, and so on. The first look that shows all of them, or refutes one,
	// ends the load, so that a machine that is not calm gets more time; each look has
	// its share of the errors (Bonferroni). One where it is 0.
	Looks int `json:"looks,omitempty"`
	// CalmMs, if set, is what the same quantile of the requests that Where does not
	// select must be shown to keep before one that is too high is blamed on the
	// mesh: they met the same machine. Otherwise it is inconclusive.
	CalmMs float64 `json:"calmMs,omitempty"`
}

func (p LatencyParams) looks() int { return max(1, p.Looks) }

// QuantileBound bounds one quantile, given per mille (p50 = 500, p99.9 = 999).
type QuantileBound struct {
	Quantile  int     `json:"quantile"`
	AtLeastMs float64 `json:"atLeastMs,omitempty"`
	AtMostMs  float64 `json:"atMostMs,omitempty"`
}

// ShiftParams: between the first stage of the promise and the second, no listed
// quantile of the latency grew by BelowMs or more.
type ShiftParams struct {
	Quantiles []int    `json:"quantiles"` // per mille
	BelowMs   float64  `json:"belowMs"`
	Measure   string   `json:"measure,omitempty"`
	Targets   []string `json:"targets,omitempty"`
	// Calm, if set, leaves out the requests around which the machine was not calm.
	Calm *Calm `json:"calm,omitempty"`
}

// Calm tells by other requests of the stage whether the machine was calm: a
// request counts if the nearest controls before it and after it, in intended order,
// so many on each side as Around says, were all answered within the limit. Controls
// go the same way and are none of what the promise is about. A cluster on few
// processors stops for tens of milliseconds a few times a second; each stop makes a
// dozen requests slow, and the tail of a stage is then the number of its stops. A
// stop may be that of one thread of a proxy only, which one control is not sure to
// meet.
type Calm struct {
	Controls []string `json:"controls"` // targets
	WithinMs float64  `json:"withinMs"`
	Around   int      `json:"around,omitempty"` // 1 where it is 0
}

// AttemptsParams: each request reached the backend exactly so many times, and
// ended with this status.
type AttemptsParams struct {
	Backend Selector `json:"backend"`
	Exactly int      `json:"exactly"`
	Status  int      `json:"status,omitempty"`
	Class   string   `json:"class,omitempty"` // ok if empty
	Targets []string `json:"targets,omitempty"`
}

// BalanceParams: connections are spread evenly over the pods, and each stays
// with the pod it got. The unit is the connection, in the order of its first
// request.
type BalanceParams struct {
	Pods int `json:"pods"` // how many there are
	// Service restricts to answers of this service.
	Service string `json:"service,omitempty"`
}

// SeriesParams: samples of the cluster satisfy conditions over time.
type SeriesParams struct {
	Conditions []SeriesCondition `json:"conditions"`
}

// SeriesCondition is about the samples of one series in the promise's stages;
// what is set must all hold. A series without samples makes it inconclusive.
type SeriesCondition struct {
	Series string `json:"series"`
	// Reach: some sample within WithinMs of the stage's base is in the range.
	Reach    *Range `json:"reach,omitempty"`
	WithinMs int    `json:"withinMs,omitempty"` // 0 is any time
	// Never: no sample is in the range. Always: every sample is.
	Never  *Range `json:"never,omitempty"`
	Always *Range `json:"always,omitempty"`
	// Last: the last sample is in the range.
	Last *Range `json:"last,omitempty"`
	// Text must be that of every sample, if set; Occurs instead asks for at least
	// so many samples that match Value and Text.
	Text   string  `json:"text,omitempty"`
	Occurs *Occurs `json:"occurs,omitempty"`
	// MaxGapMs makes it inconclusive if two neighbouring samples are further apart.
	MaxGapMs int `json:"maxGapMs,omitempty"`
}

// Range is a closed interval of values; nil is open on that side. Above and
// Below exclude their value.
type Range struct {
	AtLeast *float64 `json:"atLeast,omitempty"`
	AtMost  *float64 `json:"atMost,omitempty"`
	Above   *float64 `json:"above,omitempty"`
	Below   *float64 `json:"below,omitempty"`
}

// Occurs counts samples with a value and, if set, a text.
type Occurs struct {
	Value   float64 `json:"value"`
	Text    string  `json:"text,omitempty"`
	AtLeast int     `json:"atLeast"`
}

// RowsParams: the rows sampled under Series + "/" + key have exactly these
// texts at the end. With Subset further rows are allowed.
type RowsParams struct {
	Series string            `json:"series"`
	Rows   map[string]string `json:"rows"`
	Absent []string          `json:"absent,omitempty"`
	Subset bool              `json:"subset,omitempty"`
}

// Connection choices of BoundParams.Connections.
const (
	ConnectionsNew    = "new"    // the first request of a connection
	ConnectionsReused = "reused" // every later one
)

// BoundParams: the error rate is within a budget. Held needs the upper
// Clopper-Pearson bound at 1-Beta within it, violated the lower bound at
// 1-Alpha beyond it; else inconclusive. A budget of 0 is judged as "none".
type BoundParams struct {
	BudgetPPM int `json:"budgetPpm"` // errors per million
	// Window, if set, restricts to requests intended within the window of this
	// name, of the stage's spec.
	Window      string   `json:"window,omitempty"`
	Connections string   `json:"connections,omitempty"` // new | reused | "" for all
	Targets     []string `json:"targets,omitempty"`
	// Statuses lists what counts as success, besides class ok; empty is 200..499.
	Statuses []int `json:"statuses,omitempty"`
	// Baseline, if set, names the window before a fault: an error in it means that
	// the steady state did not hold, and the claim is inconclusive.
	Baseline string `json:"baseline,omitempty"`
	// UnderWayMs, if set, looks at the requests instead that are under way when the
	// window begins, and counts those that fail within so many milliseconds of it:
	// the measure of a drain. Held needs one that was under way for longer.
	UnderWayMs int `json:"underWayMs,omitempty"`
	// CountSkipped counts requests of the window that the generator skipped as ones
	// that may have failed: a client that stalls sees no error. A budget holds only
	// with them in it, one of 0 only if no more than a sixth was skipped.
	CountSkipped bool `json:"countSkipped,omitempty"`
}

// RecoveryParams: after a window ends (or begins), the error rate is back
// within budget in Sustain slices in a row, the first of which begins within
// WithinMs. Counted from the window's start it stays there until its end: a fault
// that is felt late was not recovered from before it came.
type RecoveryParams struct {
	Window      string   `json:"window"`
	FromStart   bool     `json:"fromStart,omitempty"` // count from the window's start
	WithinMs    int      `json:"withinMs"`
	SliceMs     int      `json:"sliceMs,omitempty"` // 1000 if 0
	Sustain     int      `json:"sustain,omitempty"` // 3 if 0
	BudgetPPM   int      `json:"budgetPpm,omitempty"`
	Connections string   `json:"connections,omitempty"`
	Targets     []string `json:"targets,omitempty"`
	Statuses    []int    `json:"statuses,omitempty"`
	// Baseline is that of BoundParams.
	Baseline string `json:"baseline,omitempty"`
}

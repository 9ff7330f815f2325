package claim

// The kinds of claim: the values of record.Promise.Kind. The comment of each
// parameter struct says what the kind proves.
const (
	KindSplit        = "split"        // SplitParams
	KindIndependence = "independence" // IndependenceParams
	KindShare        = "share"        // ShareParams
	KindEvery        = "every"        // EveryParams
	KindTable        = "table"        // TableParams
	KindMirror       = "mirror"       // MirrorParams
	KindLatency      = "latency"      // LatencyParams
	KindShift        = "shift"        // ShiftParams, two stages: without, with
	KindAttempts     = "attempts"     // AttemptsParams
	KindBalance      = "balance"      // BalanceParams
	KindServing      = "serving"      // ServingParams
	KindSeries       = "series"       // SeriesParams
	KindRows         = "rows"         // RowsParams
	KindBound        = "bound"        // BoundParams
	KindRecovery     = "recovery"     // RecoveryParams
	KindTraces       = "traces"       // TracesParams
)

// Units of Promise.Unit.
const (
	UnitRequest    = "request"
	UnitConnection = "connection"
	UnitTrace      = "trace"
	UnitSample     = "sample"
)

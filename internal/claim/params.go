package claim

// Selector picks arrivals (and answers) by who received them. An empty field
// matches everything.
type Selector struct {
	Service string `json:"service,omitempty"`
	Version string `json:"version,omitempty"`
}

// Arm is one version with its declared weight. Only the ratio of the weights
// counts: 7 and 3, 70 and 30, 700 and 300 are the same split.
type Arm struct {
	Version string `json:"version"`
	Weight  int    `json:"weight"`
}

// SplitParams: requests are divided over versions as declared. Each arm above
// zero is tested by a truncated sequential test at Alpha/arms (two arms are one
// test); one hit refutes an arm of weight zero; an answer from no declared
// version violates. Oracle A is the version that the answer names, oracle B
// the ledger of the pods, and they must agree request by request.
type SplitParams struct {
	Service string `json:"service"` // whose arrivals the ledger oracle reads, and the name in reports
	Arms    []Arm  `json:"arms"`
	// HeaderOnly drops the ledger oracle (stock images have no ledger).
	HeaderOnly bool `json:"headerOnly,omitempty"`
	// Targets restricts the claim to targets of these names; empty is all.
	Targets []string `json:"targets,omitempty"`
	// MinConnections is the least number of client connections, 32 if 0, and
	// MinPerReplica that through each waypoint replica, 8 if 0; -1 asks for none.
	MinConnections int `json:"minConnections,omitempty"`
	MinPerReplica  int `json:"minPerReplica,omitempty"`
	// Replicas is how many waypoint replicas must be seen as peers; 0 is any.
	Replicas int `json:"replicas,omitempty"`
}

// Aspects of IndependenceParams.Over.
const (
	OverRuns        = "runs"        // exact runs test in intended order, two-sided
	OverConnections = "connections" // over-dispersion between connections: sticky
	OverClients     = "clients"     // over-dispersion between client workers
	OverReplicas    = "replicas"    // over-dispersion between waypoint replicas: one is stale
	OverBlocks      = "blocks"      // under-dispersion between blocks of requests: round robin
)

// IndependenceParams: the pick for one request does not depend on the previous
// one, nor on its connection. Right totals prove nothing about that. Alpha is
// divided equally over the aspects.
type IndependenceParams struct {
	// Version is the arm that is told from all others.
	Version string `json:"version"`
	// Over lists the aspects; empty is runs, connections and blocks.
	Over []string `json:"over,omitempty"`
	// Block is the length of the blocks in requests, 200 if 0.
	Block   int      `json:"block,omitempty"`
	Targets []string `json:"targets,omitempty"`
}

// Predicate is a property of one request. All of the fields that are set must
// hold. Mirrored, Sampled and Exported are read from what was collected after
// the load, so a Watcher cannot follow them.
type Predicate struct {
	Status  int    `json:"status,omitempty"`
	Version string `json:"version,omitempty"`
	Pod     string `json:"pod,omitempty"`
	Class   string `json:"class,omitempty"`
	// SlowerMs is true of a latency of at least so many milliseconds, FasterMs of
	// one below. Measure says since when, as LatencyParams.Measure does.
	SlowerMs int    `json:"slowerMs,omitempty"`
	FasterMs int    `json:"fasterMs,omitempty"`
	Measure  string `json:"measure,omitempty"`
	// Mirrored is true of a request of which a copy arrived here.
	Mirrored *Selector `json:"mirrored,omitempty"`
	// Sampled is true of a request whose trace context arrived with the sampled flag set;
	// a request that arrived without a trace context makes the claim inconclusive.
	Sampled bool `json:"sampled,omitempty"`
	// Exported is true of a request of which the trace sink has a span.
	Exported bool `json:"exported,omitempty"`
}

// ShareParams: the share of requests with a property is as declared, by a
// truncated sequential test on both sides. A share of 0 or 1000 is judged as
// "none" or "each": one counterexample refutes.
type ShareParams struct {
	Of       Predicate `json:"of"`
	PerMille int       `json:"perMille"`
	Label    string    `json:"label"` // what the property is called in reports: "sampled"
	Targets  []string  `json:"targets,omitempty"`
	// Window is that of BoundParams. What is read after the load knows none.
	Window string `json:"window,omitempty"`
}

// Values of Conditions.Via.
const (
	ViaWaypoint = "waypoint"
	ViaOther    = "other"
)

// Conditions are exact conditions on one request; those that are set must all
// hold. Without Class, Class must be ok and no replay may have been masked.
type Conditions struct {
	Class     string `json:"class,omitempty"`
	Status    int    `json:"status,omitempty"`
	Service   string `json:"service,omitempty"`
	Version   string `json:"version,omitempty"`
	Server    string `json:"server,omitempty"`    // the server header: through Envoy
	NotServer string `json:"notServer,omitempty"` // not through it
	// Via says who the answering pod saw as its peer: ViaWaypoint is a replica of
	// the waypoint that the stage names, ViaOther is not.
	Via string `json:"via,omitempty"`
	// Location must be equal; "-" demands that there is none.
	Location string `json:"location,omitempty"`
	// Body must be equal after the JSON fields named in Mask (at any depth) are
	// blanked in both. Needs Target.KeepBody.
	Body string   `json:"body,omitempty"`
	Mask []string `json:"mask,omitempty"`
	// Header values must be equal, HeaderAbsent must not be there. Needs Target.Keep.
	Header       map[string]string `json:"header,omitempty"`
	HeaderAbsent []string          `json:"headerAbsent,omitempty"`
	// AtLeastMs and AtMostMs bound the time from sending to the end of the answer.
	AtLeastMs int `json:"atLeastMs,omitempty"`
	AtMostMs  int `json:"atMostMs,omitempty"`
	// Backend is what must have arrived at the backends.
	Backend *Backend `json:"backend,omitempty"`
	// AllowReplays accepts requests that net/http silently sent again.
	AllowReplays bool `json:"allowReplays,omitempty"`
}

// Backend are conditions on the ledger entries of one request at the services
// that Of selects. Arrivals is how many there must be: nil is exactly one.
type Backend struct {
	Of       Selector `json:"of"`
	Arrivals *int     `json:"arrivals,omitempty"`
	Path     string   `json:"path,omitempty"`
	Host     string   `json:"host,omitempty"`
	// Version must be that of every arrival.
	Version string `json:"version,omitempty"`
}

// EveryParams: each request of the stage satisfies the conditions, without
// exception. N follows from Delta and Beta: how rare an exception may be and
// still be seen.
type EveryParams struct {
	Want Conditions `json:"want"`
	// Answered leaves out requests that got no answer, or an error of a server:
	// what is promised is only of the answers.
	Answered bool     `json:"answered,omitempty"`
	Targets  []string `json:"targets,omitempty"`
}

// TableParams: each request of the named target satisfies that target's
// conditions. A target of the stage without a row, or a row without requests,
// makes the claim inconclusive.
type TableParams struct {
	Rows []Row `json:"rows"`
	// PerRow is the least number of requests per row, 1 if 0.
	PerRow int `json:"perRow,omitempty"`
}

// Row is one row of a table of targets.
type Row struct {
	Target string     `json:"target"`
	Want   Conditions `json:"want"`
}

// Oracles of MirrorParams.Oracle.
const (
	OracleLedger = "ledger" // the bounded ledger of the fixture's pods
	OracleLog    = "log"    // lines counted in the pod's log, all that stock images offer
	OracleBoth   = "both"   // both, and they must agree request by request
)

// MirrorParams: each request arrives once at its primary, and a copy of the
// declared share arrives once at the mirror, by request id. Losses, duplicates
// and foreign copies are counted apart, so they cannot cancel.
type MirrorParams struct {
	Primary  Selector `json:"primary"`
	Mirror   Selector `json:"mirror"`
	PerMille int      `json:"perMille"` // share that is to be mirrored; 1000 is each, 0 none
	Oracle   string   `json:"oracle,omitempty"`
	// QuietMs is how long after the load the ledgers had to be left alone before
	// they were read, else a loss is not believed.
	QuietMs int      `json:"quietMs,omitempty"`
	Targets []string `json:"targets,omitempty"` // a copy of another target's is foreign
	// NoPrimary drops the primary's ledger (stock images): its answers are believed.
	NoPrimary bool `json:"noPrimary,omitempty"`
}

// TracesParams: what the trace sink received is sane. A request whose trace
// context arrived sampled has spans and one that arrived unsampled has none;
// every span's parent is in its trace or is a remote root; names are among
// Names (a trailing * matches any ending) if given, services among Services.
type TracesParams struct {
	Names    []string `json:"names,omitempty"`
	Services []string `json:"services,omitempty"`
	MinSpans int      `json:"minSpans,omitempty"` // per sampled request, 1 if 0
}

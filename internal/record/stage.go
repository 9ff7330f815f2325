package record

import "time"

// Stage is one uninterrupted drive of load under one configuration. Requests
// belong to exactly one stage; times in them are offsets from its Base.
type Stage struct {
	Name    string    `json:"name"` // unique in the run: "task4/split-70-30/applied"
	Spec    string    `json:"spec"`
	Window  string    `json:"window,omitempty"`
	Base    time.Time `json:"base"` // the instant of intended offset zero
	Ended   time.Time `json:"ended"`
	Load    Load      `json:"load"`
	Health  Health    `json:"health"`
	Missing []string  `json:"missing,omitempty"` // what could not be collected, and why
	// Collected is when arrivals and spans were read: late is not lost, so a
	// loss is believed only if a quiet period lies between Ended and this.
	Collected time.Time `json:"collected,omitzero"`
	// Config says in lines what was configured, at which generation, with which
	// conditions: "route cars-traffic-split generation 2: Accepted, ResolvedRefs".
	Config []string `json:"config,omitempty"`
	// Peers names addresses that appear as Observation.Peer: waypoint replicas.
	Peers map[string]string `json:"peers,omitempty"`
}

// Load is the plan of a stage's traffic: an open loop of Hits requests at Rate,
// spread round-robin over Targets, by Clients workers of their own connections.
type Load struct {
	Rate    float64       `json:"rate"` // requests per second, over all clients
	Hits    int           `json:"hits"`
	Clients int           `json:"clients"`
	Timeout time.Duration `json:"timeoutNs"`
	// Connections says how requests use connections: keepalive | fresh (one each).
	Connections string `json:"connections"`
	// Pacing says what becomes of requests whose time passed unsent: repay (also
	// where empty) sends them in a burst, skip drops and counts them.
	Pacing string `json:"pacing,omitempty"`
	// Reconnect, if above zero, closes a keep-alive connection after that many requests.
	Reconnect int      `json:"reconnect,omitempty"`
	IDPrefix  string   `json:"idPrefix"` // request id = prefix + "-" + seq
	Targets   []Target `json:"targets"`
}

// Target is one kind of request. Redirects are never followed.
type Target struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	// URL may hold TokenPlaceholder in its path or query.
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// KeepBody asks for the response body in the observation (small, exact claims).
	KeepBody bool `json:"keepBody,omitempty"`
	// Keep lists response headers to keep beside the standard ones.
	Keep []string `json:"keep,omitempty"`
}

// Health says whether the generator kept its own promises. A stage whose
// generator failed is inconclusive, whatever the mesh did.
type Health struct {
	Planned   int           `json:"planned"`
	Sent      int           `json:"sent"`
	Completed int           `json:"completed"`
	LagP99    time.Duration `json:"lagP99Ns"` // sent minus intended
	LagMax    time.Duration `json:"lagMaxNs"`
	Throttled time.Duration `json:"throttledNs"` // by cgroup quota
	Replays   int           `json:"replays"`     // masked by net/http
	// Starved is the share of the time in which some task of the generator's
	// machine waited for a processor; 0 where the kernel does not say.
	Starved float64 `json:"starved,omitempty"`
	// Waited is how long the generator put off its start until the machine was calm.
	Waited time.Duration `json:"waitedNs,omitempty"`
	// Skipped counts requests that the skip pacing dropped because their time had passed.
	Skipped int    `json:"skipped,omitempty"`
	Error   string `json:"error,omitempty"`
	// Stopped is true where a sequential test had seen enough: fewer than planned is then no fault.
	Stopped bool `json:"stopped,omitempty"`
}

// Class is why a request ended as it did, as an enum: unique error strings
// would grow without bound under faults.
type Class string

// The classes. ClassOK covers every complete HTTP answer, whatever its status.
const (
	ClassOK       Class = "ok"
	ClassTimeout  Class = "timeout"
	ClassRefused  Class = "refused"
	ClassReset    Class = "reset"
	ClassEOF      Class = "eof"
	ClassDNS      Class = "dns"
	ClassDial     Class = "dial"     // any other failure to connect
	ClassProtocol Class = "protocol" // what came back was not HTTP
	ClassCanceled Class = "canceled" // by us
	ClassOther    Class = "other"
)

// Observation is one request as the client saw it. Times are offsets from the
// stage's base; Intended is when the schedule wanted it sent, and latency is
// Done minus Intended.
type Observation struct {
	Stage    int               `json:"s"` // index into Run.Stages
	Seq      int               `json:"n"` // place in the intended order, from 0
	Target   int               `json:"t,omitempty"`
	Client   int               `json:"c,omitempty"`
	Conn     int               `json:"k"` // connection number within the client
	Reused   bool              `json:"r,omitempty"`
	Replays  int               `json:"x,omitempty"`
	Intended time.Duration     `json:"i"`
	Sent     time.Duration     `json:"b"`
	First    time.Duration     `json:"f,omitempty"` // first response byte, 0 if none
	Done     time.Duration     `json:"d"`
	Status   int               `json:"h,omitempty"`
	Class    Class             `json:"e"`
	Service  string            `json:"vs,omitempty"` // who answered, by its own word
	Version  string            `json:"vv,omitempty"`
	Pod      string            `json:"vp,omitempty"`
	Peer     string            `json:"vr,omitempty"` // the address that the answering pod saw as its peer
	Server   string            `json:"sv,omitempty"` // the server header
	Location string            `json:"l,omitempty"`
	Header   map[string]string `json:"hd,omitempty"` // those of Target.Keep, lower-case
	Bytes    int               `json:"z,omitempty"`
	Body     string            `json:"bd,omitempty"`
}

// Latency is the time from the intended instant to the end of the answer, so
// that a stalled generator or server cannot hide it (coordinated omission).
func (o Observation) Latency() time.Duration { return o.Done - o.Intended }

// Failed is what every figure without a promise of its own calls a failed
// request: no answer, one that net/http fetched by silently sending again, or a
// status other than 200 to 499.
func (o *Observation) Failed() bool {
	return o.Class != ClassOK || o.Replays > 0 || o.Status < 200 || o.Status > 499
}

// Arrival is one request as a backend pod's ledger saw it, joined to its
// observation by the stage's id prefix and Seq.
type Arrival struct {
	Stage       int       `json:"s"`
	Seq         int       `json:"n"`
	Service     string    `json:"vs"`
	Version     string    `json:"vv,omitempty"`
	Pod         string    `json:"vp"`
	Peer        string    `json:"vr,omitempty"`
	At          time.Time `json:"at"`
	Attempt     int       `json:"a"` // 1 for the first arrival of this id at this pod
	Path        string    `json:"p,omitempty"`
	Host        string    `json:"ho,omitempty"`
	Traceparent string    `json:"tp,omitempty"`
	Source      string    `json:"o,omitempty"` // "" = ledger, "log" = counted from the pod's log
}

// Span is one span that the trace sink received.
type Span struct {
	Stage    int       `json:"s"`
	Seq      int       `json:"n"` // of the request that it belongs to, -1 if it could not be joined
	TraceID  string    `json:"ti"`
	SpanID   string    `json:"si"`
	ParentID string    `json:"pi,omitempty"`
	Name     string    `json:"na"`
	Service  string    `json:"sn,omitempty"`
	Start    time.Time `json:"st"`
	End      time.Time `json:"en"`
}

// Sample is one reading of the cluster: replicas, CPU, disruptionsAllowed, a
// row of the service table, a condition.
type Sample struct {
	Stage  int       `json:"s"`
	At     time.Time `json:"at"`
	Series string    `json:"se"` // "hpa/waypoint-travel-portal/ready"
	Value  float64   `json:"v,omitempty"`
	Text   string    `json:"x,omitempty"`
}

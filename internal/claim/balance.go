package claim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// mostPods bounds the pods of a balance claim.
const mostPods = 100

// balance accumulates BalanceParams: a pod per connection.
type balance struct {
	deaf
	promise record.Promise
	params  BalanceParams
	stage   *record.Stage
	conns   map[connection]pick
	pods    map[string]int
	names   []string
	mixed   oddest
	failed  oddest
	fails   int
	decided bool // enough was seen, while the stage runs
}

// pick is the pod that a connection got, by its first request.
type pick struct {
	first int32
	pod   uint8
}

func openBalance(b brief) (accumulator, error) {
	params, err := paramsOf[BalanceParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.Pods < 2 || params.Pods > mostPods {
		return nil, fmt.Errorf("a balance over %d pods, 2 to %d can be judged", params.Pods, mostPods)
	}
	return &balance{promise: b.promise, params: params, stage: b.stages[0], conns: map[connection]pick{}, pods: map[string]int{}}, nil
}

func (b *balance) observe(_ int, o *record.Observation) {
	if o.Class != record.ClassOK || o.Pod == "" {
		b.fails++
		b.failed.add(o.Seq, func() string { return trail(b.stage, o) })
		return
	}
	if b.params.Service != "" && o.Service != b.params.Service {
		return
	}
	pod, known := b.pods[o.Pod]
	if !known {
		pod = min(len(b.pods), mostPods)
		b.pods[o.Pod] = pod
		b.names = append(b.names, o.Pod)
	}
	key := connectionOf(o.Client, o.Conn)
	before, again := b.conns[key]
	if again && int(before.pod) != pod {
		b.mixed.add(o.Seq, func() string { return trail(b.stage, o) })
	}
	if !again || int32(o.Seq) < before.first {
		b.conns[key] = pick{first: int32(o.Seq), pod: uint8(pod)}
	}
}

// picks are the connections in the order of their first requests.
func (b *balance) picks() []pick {
	return slices.SortedFunc(maps.Values(b.conns), func(x, y pick) int { return cmp.Compare(x.first, y.first) })
}

// lookEvery is how many connections pass between two looks ahead: a look sorts
// them all.
const lookEvery = 250

// settled looks ahead, now and then: the test is decided by the connections up
// to the first request that is still missing. That can be known only where each
// request has a connection of its own; elsewhere the whole sample is wanted.
func (b *balance) settled() bool {
	if b.decided || len(b.conns) == 0 || len(b.conns)%lookEvery != 0 {
		return b.decided
	}
	picks := b.picks()
	whole := 0
	for whole < len(picks) && int(picks[whole].first) == whole {
		whole++
	}
	var judged record.Verdict
	b.judge(&judged, picks[:whole])
	b.decided = judged.Verdict == record.Held || judged.Verdict == record.Violated
	return b.decided
}

func (b *balance) verdict(v *record.Verdict) {
	picks := b.picks()
	v.N = len(picks)
	v.Declared = fmt.Sprintf("connections spread evenly over %d pods", b.params.Pods)
	switch {
	case b.fails > 0:
		v.FirstOdd, v.Signature = b.failed.text, "requests without an answer that names its pod"
		violated(v, "%d requests got no answer that names its pod", b.fails)
	case b.mixed.text != "":
		v.FirstOdd, v.Signature = b.mixed.text, "a connection changed its pod"
		violated(v, "requests of one connection were answered by different pods")
	case len(b.pods) > b.params.Pods:
		v.Signature = "more pods than declared"
		violated(v, "%d pods answered, %d were declared: %s", len(b.pods), b.params.Pods, strings.Join(b.sortedNames(), ", "))
	default:
		b.judge(v, picks)
	}
}

func (b *balance) sortedNames() []string { return slices.Sorted(slices.Values(b.names)) }

// judge runs one test per pod at its part of alpha; two pods are one test. A
// declared pod that never answered is a pod with no hits.
func (b *balance) judge(v *record.Verdict, picks []pick) {
	names := b.sortedNames()
	for len(names) < b.params.Pods {
		names = append(names, fmt.Sprintf("(pod %d, never seen)", len(names)+1))
	}
	tests, goal := names, b.goal()
	if b.params.Pods == 2 {
		tests = names[:1]
	}
	design, err := stat.DesignSequential(goal)
	if err != nil {
		inconclusive(v, record.Harness, err.Error())
		return
	}
	var observed, off []string
	open := 0
	for _, name := range tests {
		trial := b.test(design, name, picks)
		observed = append(observed, fmt.Sprintf("%s %s", name, ratio(trial.Hits, trial.N)))
		switch trial.Decision {
		case stat.Low, stat.High:
			off = append(off, fmt.Sprintf("%s gets too %s a share", name, trial.Decision))
			v.P = "≤ " + probability(trial.P()) + ", valid at any look"
		case stat.Open:
			open++
		case stat.Held: // nothing to say of it
		}
		lo, hi := design.Band(trial.N)
		v.Allowed = fmt.Sprintf("%d..%d of %d at alpha %s", lo, hi, trial.N, probability(goal.Alpha))
	}
	v.Observed = strings.Join(observed, ", ")
	b.conclude(v, off, open)
}

func (b *balance) goal() stat.Goal {
	goal := stat.Goal{Share: stat.Share{Num: 1, Den: b.params.Pods}, Delta: b.promise.Delta, Alpha: b.promise.Alpha, Beta: b.promise.Beta}
	if b.params.Pods > 2 {
		goal.Alpha /= float64(b.params.Pods)
	}
	return goal
}

func (b *balance) test(design *stat.Sequential, name string, picks []pick) *stat.Trial {
	pod, seen := b.pods[name]
	trial := design.Begin()
	for _, p := range picks {
		if trial.Add(seen && int(p.pod) == pod) != stat.Open {
			break
		}
	}
	return trial
}

func (b *balance) conclude(v *record.Verdict, off []string, open int) {
	switch {
	case len(off) > 0:
		v.Signature = "connections are not spread evenly"
		violated(v, "%s", strings.Join(off, ", "))
	case open > 0:
		inconclusive(v, record.Harness, fmt.Sprintf("%d connections were not enough to decide", v.N))
	default:
		held(v, "every pod gets its share, within %g points", float64(b.promise.Delta)/10)
	}
}

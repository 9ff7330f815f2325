package link

import (
	"slices"
	"time"
)

// Answers is what came back to all connections together.
type Answers struct {
	Requests int // answered with 200
	Failed   int
	Dialed   int // connections opened, more than asked for if some broke
	Mixed    int // connections on which more than one pod answered
	Errors   map[string]int
	Servers  map[string]int // by the header Server, empty if there was none
	Pods     map[string]int // requests by the pod that answered
	Settled  map[string]int // connections by the pod that answered all of it
	Latency  Quantiles      // of answered requests, a connection's first one left out
	First    Quantiles      // of first requests, which include connecting
}

// Quantiles are exact, from all values.
type Quantiles struct {
	Count              int
	P50, P90, P99, Max time.Duration
}

func sum(connections []connection) Answers {
	all := Answers{
		Errors: map[string]int{}, Servers: map[string]int{}, Pods: map[string]int{}, Settled: map[string]int{},
	}
	var first, later []time.Duration
	for i := range connections {
		c := &connections[i]
		all.Requests += len(c.latencies)
		all.Dialed += c.dialed
		add(all.Errors, c.errors)
		add(all.Servers, c.servers)
		add(all.Pods, c.pods)
		all.settle(c.pods)
		if len(c.latencies) > 0 {
			first, later = append(first, c.latencies[0]), append(later, c.latencies[1:]...)
		}
	}
	for _, count := range all.Errors {
		all.Failed += count
	}
	all.First, all.Latency = quantiles(first), quantiles(later)
	return all
}

func add(to, from map[string]int) {
	for key, count := range from {
		to[key] += count
	}
}

func (a *Answers) settle(pods map[string]int) {
	if len(pods) > 1 {
		a.Mixed++
		return
	}
	for pod := range pods {
		a.Settled[pod]++
	}
}

// quantiles takes the nearest rank: the smallest value that at least the share
// q of all values does not exceed.
func quantiles(values []time.Duration) Quantiles {
	if len(values) == 0 {
		return Quantiles{}
	}
	slices.Sort(values)
	rank := func(percent int) time.Duration { return values[max(1, (len(values)*percent+99)/100)-1] }
	return Quantiles{Count: len(values), P50: rank(50), P90: rank(90), P99: rank(99), Max: values[len(values)-1]}
}

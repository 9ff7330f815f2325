package catalogue

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// retries counts, at the backend, how often each request arrives. A failure that
// an answer tells (503) and one that it does not (a reset) are judged apart: a
// mesh may repeat the one and not the other.
func retries() []Scenario {
	return []Scenario{
		retry("retries/503", "repeats a request that is answered 503 up to three times", "retry-503", failing,
			attempts{"answers", "answers", Applied, 0, 1, 200}, attempts{"once", "repeats once what fails once", Applied, 1, 2, 200},
			attempts{"thrice", "repeats three times what fails three times", Applied, 3, 4, 200},
			attempts{"spent", "gives up after three repetitions", Applied, 4, 4, 503}),
		retry("retries/reset", "repeats a request whose connection is reset up to three times", "retry-reset", resetting,
			attempts{"answers", "answers", Applied, 0, 1, 200}, attempts{"once", "repeats once what is reset once", Applied, 1, 2, 200},
			attempts{"thrice", "repeats three times what is reset three times", Applied, 3, 4, 200},
			attempts{"spent", "gives up after three repetitions", Applied, 4, 4, 503}),
		retryNone(), retryHTTPRoute(),
	}
}

// attempts is one kind of request and what is promised of it: one that fails so
// often arrives so often and ends with a status.
type attempts struct {
	name, title, window string
	fails, arrives      int
	status              int
}

// failure makes the request for insurances that fails the first k times.
type failure func(k int) record.Target

func failing(k int) record.Target   { return commanded("x-wayproof-fail-first", k) }
func resetting(k int) record.Target { return commanded("x-wayproof-reset-first", k) }

func commanded(header string, k int) record.Target {
	target := get(fmt.Sprintf("fails %d", k), insurancesURL)
	if k > 0 {
		target.Header = map[string]string{header: fmt.Sprint(k), "x-wayproof-at": "insurances"}
	}
	return target
}

// retry is a scenario around one virtual service of insurances. Before and after
// it, what fails once is not repeated: neither failure is among those that the
// mesh repeats without being told (connect-failure, refused-stream, unavailable,
// cancelled).
func retry(id, title, file string, fails failure, cases ...attempts) Scenario {
	s := Scenario{
		ID: id, Task: "retries", Title: title, Base: Enrolled, Waypoints: []string{"travel-agency"}, Expect: 12 * time.Second,
		Apply: []Piece{{File: "capabilities/" + file + ".yaml"}},
	}
	cases = append([]attempts{{"before", "repeats nothing without being told", Before, 1, 1, 503}}, cases...)
	cases = append(cases, attempts{"after", "repeats nothing after the rule is deleted", After, 1, 1, 503})
	return attempted(s, "insurances", fails, cases)
}

// attempted gives a scenario the loads and promises of its cases.
func attempted(s Scenario, service string, fails failure, cases []attempts) Scenario {
	targets := map[string][]record.Target{}
	for _, c := range cases {
		targets[c.window] = append(targets[c.window], fails(c.fails))
		s.Promises = append(s.Promises, c.promise(s, service, fails(c.fails).Name))
	}
	for _, window := range []string{Before, Applied, After} {
		if len(targets[window]) > 0 {
			s.Drives = append(s.Drives, Drive{
				Name: stage(s.ID, window), Window: window, Waypoint: agencyWaypoint, Collect: []string{"travel-agency/" + service},
				Quiet: 300 * time.Millisecond, Load: keepalive(250, 350*len(targets[window]), targets[window]...),
			})
		}
	}
	return s
}

// promise resolves an exception in fifty.
func (c attempts) promise(s Scenario, service, target string) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + c.name, Task: s.Task, Title: c.title, Kind: claim.KindAttempts, Window: c.window,
		Stages: []string{stage(s.ID, c.window)}, Unit: claim.UnitRequest, Beta: defaultBeta, Delta: 20,
		Params: claim.Params(claim.AttemptsParams{
			Backend: claim.Selector{Service: service}, Exactly: c.arrives, Status: c.status, Targets: []string{target},
		}),
	}
}

// requiring marks every promise of a scenario as needing an ability of the
// environment.
func (s Scenario) requiring(ability string) Scenario {
	for i := range s.Promises {
		s.Promises[i].Requires = append(s.Promises[i].Requires, ability)
	}
	return s
}

// retryNone asks for no retries at all, by name.
func retryNone() Scenario {
	s := Scenario{
		ID: "retries/none", Task: "retries", Title: "repeats nothing where retries are turned off", Base: Enrolled,
		Waypoints: []string{"travel-agency"}, Expect: 6 * time.Second, Apply: []Piece{{File: "capabilities/retry-none.yaml"}},
	}
	return attempted(s, "insurances", resetting, []attempts{
		{"answers", "answers", Applied, 0, 1, 200}, {"reset", "repeats nothing", Applied, 1, 1, 503},
	})
}

// retryHTTPRoute is the retry of an HTTPRoute, which only the experimental
// channel of Gateway API has.
func retryHTTPRoute() Scenario {
	s := Scenario{
		ID: "retries/httproute", Task: "retries", Title: "repeats a request that is answered 503 up to twice, by HTTPRoute", Base: Enrolled,
		Waypoints: []string{"travel-agency"}, Expect: 12 * time.Second, Apply: []Piece{{File: "capabilities/retry-httproute.yaml"}},
	}
	return attempted(s, "insurances", failing, []attempts{
		{"twice", "repeats twice what fails twice", Applied, 2, 3, 200},
		{"spent", "gives up after two repetitions", Applied, 3, 3, 503},
		{"after", "repeats nothing after the route is deleted", After, 1, 1, 503},
	}).requiring("retry")
}

package catalogue

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// The demo's answers for the two cities of tasks 5 and 6, byte for byte but for
// the time. The one for Amsterdam is from the workshop's page. They are written
// out, not computed by the fixture that is asked for them.
const (
	amsterdamQuote = `{"city":"Amsterdam","coordinates":null,"createdAt":"2026-01-15T13:11:31Z","status":"Valid",` +
		`"flights":[{"airline":"Red Airlines","price":1001},{"airline":"Blue Airlines","price":351},{"airline":"Green Airlines","price":301}],` +
		`"hotels":[{"hotel":"Grand Hotel Amsterdam","price":505},{"hotel":"Little Amsterdam Hotel","price":82}],` +
		`"cars":[{"carModel":"Sports Car","price":1005},{"carModel":"Economy Car","price":302}],` +
		`"insurances":[{"company":"Yellow Insurances","price":308},{"company":"Blue Insurances","price":57}]}` + "\n"
	madridQuote = `{"city":"Madrid","coordinates":null,"createdAt":"2026-01-15T12:50:52Z","status":"Valid",` +
		`"flights":[{"airline":"Red Airlines","price":1020},{"airline":"Blue Airlines","price":370},{"airline":"Green Airlines","price":320}],` +
		`"hotels":[{"hotel":"Grand Hotel Madrid","price":600},{"hotel":"Little Madrid Hotel","price":120}],` +
		`"cars":[{"carModel":"Sports Car","price":1100},{"carModel":"Economy Car","price":340}],` +
		`"insurances":[{"company":"Yellow Insurances","price":327},{"company":"Blue Insurances","price":76}]}` + "\n"
)

// quoteCase is one request of tasks 5 and 6, and what is wanted of it without
// the route and with it.
type quoteCase struct {
	target        record.Target
	plain, routed claim.Conditions
}

// envoyTime is a header that Envoy adds to what a backend answered, and to
// nothing that it answers itself.
const envoyTime = "x-envoy-upstream-service-time"

func ask(name, url string) record.Target {
	target := get(name, url)
	target.KeepBody, target.Keep = true, []string{envoyTime}
	return target
}

// quoted is a quote of travels, from one arrival with this path.
func quoted(body, path string) claim.Conditions {
	return claim.Conditions{
		Status: 200, Service: "travels", Location: "-", Body: body, Mask: []string{"createdAt"},
		Backend: &claim.Backend{Of: travelsPods(), Path: path},
	}
}

// refused is the demo's own answer to a path that it does not serve, or to a
// city that it does not know; it shows that the path got there.
func refused(path string) claim.Conditions {
	return claim.Conditions{
		Status: 404, Service: "travels", Location: "-", Backend: &claim.Backend{Of: travelsPods(), Path: path},
	}
}

// listed is the list of destinations.
func listed() claim.Conditions {
	return claim.Conditions{
		Status: 200, Service: "travels", Location: "-", Backend: &claim.Backend{Of: travelsPods(), Path: "/travels"},
	}
}

// How many requests each case gets: under the route so many that a defect of
// 8 % of them is seen, before and after it, where a route would show in every
// one, of 21 %, at a beta of 1e-3.
const (
	perQuoteRow = 90
	perPlainRow = 30
)

// quoteRate is modest because a quote is five requests: travels asks four other
// services, each through the waypoint, and what one of them is refused for want
// of a processor looks like the route's doing.
const quoteRate = 120

// quoteScenario plays cases before, under and after a route on travels.
func quoteScenario(s Scenario, cases []quoteCase) Scenario {
	s.Base, s.Waypoints = Enrolled, []string{"travel-agency"}
	titles := map[string]string{
		Before: "before the route every request is answered by travels itself", Applied: s.Title,
		After: "after the route is deleted every request is answered by travels itself again",
	}
	for _, window := range []string{Before, Applied, After} {
		perRow := perPlainRow
		if window == Applied {
			perRow = perQuoteRow
		}
		drive := Drive{
			Name: stage(s.ID, window), Window: window, Collect: []string{"travel-agency/travels"}, Quiet: 300 * time.Millisecond,
			Load: keepalive(quoteRate, perRow*len(cases)),
		}
		var rows []claim.Row
		for _, c := range cases {
			drive.Load.Targets = append(drive.Load.Targets, c.target)
			want := c.plain
			if window == Applied {
				want = c.routed
			}
			rows = append(rows, claim.Row{Target: c.target.Name, Want: want})
		}
		s.Drives = append(s.Drives, drive)
		s.Promises = append(s.Promises, record.Promise{
			ID: fmt.Sprintf("%s/%s", s.ID, window), Task: s.Task, Title: titles[window], Kind: claim.KindTable, Window: window,
			Stages: []string{drive.Name}, Unit: claim.UnitRequest, Beta: defaultBeta,
			Params: claim.Params(claim.TableParams{Rows: rows, PerRow: perRow}),
		})
	}
	return s
}

package catalogue

import (
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// splits is task 4: traffic splitting.
func splits() []Scenario {
	return []Scenario{
		split("task4/split-70-30", "gives v1 70 % and v2 30 % of the requests", "workshop/07-cars-traffic-split.yaml",
			claim.Arm{Version: "v1", Weight: 70}, claim.Arm{Version: "v2", Weight: 30}).labelled(Quick),
		splitReplicas(),
		splitShort("split-90-10", 3000, claim.Arm{Version: "v1", Weight: 90}, claim.Arm{Version: "v2", Weight: 10}).
			titled("gives v1 90 % and v2 10 % of the requests"),
		splitShort("split-100-0", 700, claim.Arm{Version: "v1", Weight: 100}, claim.Arm{Version: "v2", Weight: 0}).
			titled("gives v1 every request and v2, at weight 0, none"),
		splitShort("split-three-arms", 7100, claim.Arm{Version: "v1", Weight: 50}, claim.Arm{Version: "v2", Weight: 30}, claim.Arm{Version: "v3", Weight: 20}).
			with(carsV3()).titled("gives three versions 50, 30 and 20 % of the requests"),
		splitShort("split-weight-zero", 5900, claim.Arm{Version: "v1", Weight: 70}, claim.Arm{Version: "v2", Weight: 30}, claim.Arm{Version: "v3", Weight: 0}).
			with(carsV3()).titled("gives an arm of weight 0 nothing and the others their shares"),
		splitAllZero(),
	}
}

func (s Scenario) labelled(labels ...string) Scenario {
	s.Labels = append(s.Labels, labels...)
	return s
}

// split is a scenario around one weighted route of cars. Before and after it,
// the Service's own selector spreads requests over both versions, so that a
// route which is never applied cannot look like one that is.
func split(id, title, file string, arms ...claim.Arm) Scenario {
	s := Scenario{
		ID: id, Task: "task4", Title: title, Base: Versions, Setup: []Piece{evenly()}, Apply: []Piece{{File: file}},
		Waypoints: []string{"travel-agency"}, Expect: 10 * time.Second,
	}
	for _, window := range []string{Before, Applied, After} {
		s.Drives = append(s.Drives, Drive{
			Name: stage(id, window), Window: window, Waypoint: agencyWaypoint, Quiet: 300 * time.Millisecond,
			Collect: []string{"travel-agency/cars"},
			Load:    splitLoad(window),
		})
	}
	s.Promises = []record.Promise{
		aboutHalf(s, "before", "without the route both versions get about half", Before),
		splitPromise(s, "share", title, Applied, arms...),
		aboutHalf(s, "after", "after the route is deleted both versions get about half again", After),
	}
	if bothPositive(arms) {
		s.Promises = append(s.Promises, independence(s, arms[0].Version))
	}
	return s
}

func bothPositive(arms []claim.Arm) bool {
	for _, arm := range arms {
		if arm.Weight == 0 {
			return false
		}
	}
	return len(arms) == 2
}

// splitLoad is long enough for the cap of any two-armed test at five points.
func splitLoad(string) record.Load {
	return keepalive(500, 6700, get("cars", carsURL+"/cars/Madrid"))
}

// evenly has the waypoint draw among the pods of cars where no route says
// anything. By default it prefers the pod with fewer requests under way, and
// shares follow how fast each pod happens to be.
func evenly() Piece { return Piece{File: "capabilities/cars-random.yaml"} }

// unroutedDelta is how far from half, per mille, a version may be where no
// route says anything: far enough to be shown soon, and nearer to half than to
// any split that is tested.
const unroutedDelta = 150

// aboutHalf is what holds while no route is applied.
func aboutHalf(s Scenario, name, title, window string) record.Promise {
	promise := splitPromise(s, name, title, window, claim.Arm{Version: "v1", Weight: 1}, claim.Arm{Version: "v2", Weight: 1})
	promise.Delta = unroutedDelta
	return promise
}

func splitPromise(s Scenario, name, title, window string, arms ...claim.Arm) record.Promise {
	return record.Promise{
		ID: s.ID + "/" + name, Task: s.Task, Title: title, Kind: claim.KindSplit, Window: window,
		Stages: []string{stage(s.ID, window)}, Unit: claim.UnitRequest,
		Alpha: defaultAlpha, Beta: defaultBeta, Delta: 50,
		Params: claim.Params(claim.SplitParams{Service: "cars", Arms: arms}),
	}
}

// rotation is the length of the blocks in which a rotating pick would show by
// being too even: as long as the share's sample allows.
const rotation = 70

// independence tells a random pick from a sticky or rotating one with the
// right totals. It is judged on what the share needed, so it has no size of
// its own beyond a floor.
func independence(s Scenario, version string) record.Promise {
	return record.Promise{
		ID: s.ID + "/independence", Task: s.Task, Title: fmt.Sprintf("picks %s for a request whatever the request before got", version),
		Kind: claim.KindIndependence, Window: Applied, Stages: []string{stage(s.ID, Applied)}, Unit: claim.UnitRequest,
		Alpha: defaultAlpha, Beta: defaultBeta, Delta: 250,
		Params: claim.Params(claim.IndependenceParams{Version: version, Block: rotation}),
	}
}

package loadgen_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
)

func TestBadPlansAreRefusedWithTheReason(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*loadgen.Plan)
		says  string
	}{
		"rate zero":         {func(p *loadgen.Plan) { p.Load.Rate = 0 }, "rate is 0 per second"},
		"rate negative":     {func(p *loadgen.Plan) { p.Load.Rate = -1 }, "rate is -1 per second"},
		"rate too high":     {func(p *loadgen.Plan) { p.Load.Rate = 1e6 }, "at most 20000"},
		"no hits":           {func(p *loadgen.Plan) { p.Load.Hits = 0 }, "hits is 0"},
		"too many hits":     {func(p *loadgen.Plan) { p.Load.Hits = 3_000_000 }, "hits is 3000000, must be 1 to 2000000"},
		"too long":          {func(p *loadgen.Plan) { p.Load.Rate, p.Load.Hits = 0.1, 10_000 }, "more than 2h0m0s"},
		"no clients":        {func(p *loadgen.Plan) { p.Load.Clients = 0 }, "clients is 0"},
		"no timeout":        {func(p *loadgen.Plan) { p.Load.Timeout = 0 }, "timeout is 0s"},
		"connections":       {func(p *loadgen.Plan) { p.Load.Connections = "both" }, `connections is "both"`},
		"fresh reconnect":   {func(p *loadgen.Plan) { p.Load.Connections, p.Load.Reconnect = "fresh", 2 }, "no meaning"},
		"calm too long":     {func(p *loadgen.Plan) { p.Calm = loadgen.MaxCalm + 1 }, "calm is 1m0.000000001s"},
		"calm at a time":    {func(p *loadgen.Plan) { p.Calm, p.Start = time.Second, time.Now() }, "cannot wait for a calm machine"},
		"pacing":            {func(p *loadgen.Plan) { p.Load.Pacing = "burst" }, `pacing is "burst"`},
		"id prefix":         {func(p *loadgen.Plan) { p.Load.IDPrefix = "" }, "id prefix"},
		"id prefix newline": {func(p *loadgen.Plan) { p.Load.IDPrefix = "a\nb" }, "id prefix"},
		"far barrier":       {func(p *loadgen.Plan) { p.Start = time.Now().Add(time.Hour) }, "ahead"},
		"no targets":        {func(p *loadgen.Plan) { p.Load.Targets = nil }, "no targets"},
		"relative url":      {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "/cars" }, "not absolute"},
		"other scheme":      {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "ftp://localhost/" }, "not absolute"},
		"no url":            {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "http://[" }, "parse url"},
		"method":            {func(p *loadgen.Plan) { p.Load.Targets[0].Method = "GET it" }, "no token"},
		"header":            {func(p *loadgen.Plan) { p.Load.Targets[0].Header = map[string]string{"a": "b\r\nc: d"} }, "not valid HTTP"},
		"request id":        {func(p *loadgen.Plan) { p.Load.Targets[0].Header = map[string]string{"X-REQUEST-ID": "1"} }, "must stay unset"},
		"own id":            {func(p *loadgen.Plan) { p.Load.Targets[0].Header = map[string]string{"X-Wayproof-Id": "1"} }, "generator's own"},
		"public name":       {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "http://example.com/" }, "outside the cluster"},
		"public address":    {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "http://8.8.8.8/" }, "not on the plan's allow list"},
		"private address":   {func(p *loadgen.Plan) { p.Load.Targets[0].URL = "http://10.0.0.1/" }, "not on the plan's allow list"},
		"public allowed":    {func(p *loadgen.Plan) { p.Allow = []string{"8.8.8.8"} }, "not in a private range"},
		"everything":        {func(p *loadgen.Plan) { p.Allow = []string{"10.0.0.0/4"} }, "not in a private range"},
		"no address":        {func(p *loadgen.Plan) { p.Allow = []string{"ten"} }, `allow list entry "ten"`},
	} {
		t.Run(name, func(t *testing.T) {
			plan := loadgen.Plan{Load: load("http://127.0.0.1:1/", 10, 10)}
			require.NoError(t, plan.Validate())
			row.spoil(&plan)
			health, err := loadgen.Attack(t.Context(), plan, func(record.Observation) bool { return true })
			require.ErrorIs(t, err, loadgen.ErrPlan)
			assert.ErrorContains(t, err, row.says)
			assert.NotContains(t, err.Error(), "\n")
			assert.Zero(t, health.Sent)
		})
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	err := loadgen.Plan{}.Validate()
	for _, part := range []string{"rate", "hits", "clients", "timeout", "connections", "no targets"} {
		assert.ErrorContains(t, err, part)
	}
	assert.Equal(t, 1, strings.Count(err.Error(), loadgen.ErrPlan.Error()))
}

func TestAddressesInsideAreAdmitted(t *testing.T) {
	for url, allow := range map[string][]string{
		"http://localhost:8000/":                              nil,
		"http://[::1]:8000/":                                  nil,
		"http://cars.travel-agency.svc:8000/cars":             nil,
		"http://cars.travel-agency.svc.cluster.local/cars":    nil,
		"http://CARS.travel-agency.svc.cluster.local.:80/car": nil,
		"http://10.244.1.7:8000/":                             {"10.244.0.0/16"},
		"http://172.18.0.3/":                                  {"172.18.0.3"},
		"http://[fd00::7]/":                                   {"fd00::/64"},
	} {
		plan := loadgen.Plan{Load: load(url, 10, 10), Allow: allow}
		assert.NoError(t, plan.Validate(), url)
	}
}

// The schedule is vegeta's: each request is due when ConstantPacer would send it.
func TestScheduleIsConstantPacers(t *testing.T) {
	property := func(perMinute uint16, seq uint16) bool {
		plan := loadgen.Plan{Load: record.Load{Rate: float64(perMinute%6000+1) / 60}}
		pacer := vegeta.ConstantPacer{Freq: 1, Per: plan.Interval()}
		wait, stop := pacer.Pace(0, uint64(seq))
		return !stop && wait == plan.Intended(int(seq))
	}
	require.NoError(t, quick.Check(property, nil))
}

func TestMethodsOfHTTPAreTokens(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodOptions} {
		plan := loadgen.Plan{Load: load("http://localhost/", 10, 10)}
		plan.Load.Targets[0].Method = method
		assert.NoError(t, plan.Validate())
	}
}

package proof

import (
	"google.golang.org/protobuf/types/known/wrapperspb"
	telemetryv1 "istio.io/client-go/pkg/apis/telemetry/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// waypoints are defects of task 1.
func waypoints() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task1/waypoints", Kills: kills, make: change}
	}
	return []Mutant{
		of("waypoint-missing", "travel-portal's Gateway is missing", altered(without("Gateway", "waypoint-travel-portal")), "programmed", "proxies"),
		of("waypoint-is-a-gateway", "the Gateways are of class istio: ingress gateways, no waypoints", altered(on("Gateway", func(g *gatewayv1.Gateway) error {
			g.Spec.GatewayClassName = "istio"
			g.Spec.Listeners[0].Protocol, g.Spec.Listeners[0].Port = gatewayv1.HTTPProtocolType, 80
			return nil
		})), "proxies").besides("programmed"),
		of("waypoint-always", "the waypoints are there before, and stay after they are deleted", always, "before", "after"),
		of("waypoint-used-unasked", "the namespaces use their waypoints although nobody enrolled them", func(s *catalogue.Scenario) {
			s.Apply = append(s.Apply, catalogue.Piece{File: "workshop/02_1-ns-use-waypoints.yaml", Labels: true})
		}, "idle"),
		of("waypoint-used-always", "the waypoints are there and used all the time", func(s *catalogue.Scenario) {
			s.Setup, s.Apply = []catalogue.Piece{s.Apply[0], {File: "workshop/02_1-ns-use-waypoints.yaml", Labels: true}}, nil
		}, "unharmed", "after"),
	}
}

// besides names promises that may be violated too.
func (m Mutant) besides(names ...string) Mutant {
	m.Also = append(m.Also, names...)
	return m
}

// enrolments are defects of task 2.
func enrolments() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task2/enrolment", Kills: kills, make: change}
	}
	return []Mutant{
		of("enrolment-portal-missing", "travel-portal is not enrolled", altered(without("Namespace", "travel-portal")),
			"bound-applied", "table-applied", "traffic-applied-portal"),
		of("enrolment-agency-missing", "travel-agency is not enrolled", altered(without("Namespace", "travel-agency")),
			"bound-applied", "table-applied", "traffic-applied-agency"),
		of("enrolment-service-opts-out", "one Service of an enrolled namespace opts out", optsOut("cars"),
			"bound-applied", "table-applied", "traffic-applied-agency"),
		of("enrolment-always", "both namespaces are enrolled before, and stay so", func(s *catalogue.Scenario) {
			s.Setup, s.Apply = append(s.Setup, s.Apply...), nil
		}, "bound-before", "table-before", "traffic-before-agency", "traffic-before-portal",
			"bound-after", "table-after", "traffic-after-agency", "traffic-after-portal"),
	}
}

// optsOut gives a Service of travel-agency the label that takes it out of its
// namespace's waypoint, for as long as the scenario lasts.
func optsOut(name string) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		s.Setup = append(s.Setup, catalogue.Piece{
			File: "travel/02-agency.yaml", Only: []string{"Service"}, Labels: true,
			Change: func(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
				if object.GetName() != name {
					return nil, nil
				}
				bare := object.DeepCopy()
				bare.SetLabels(map[string]string{"istio.io/use-waypoint": "none"})
				return bare, nil
			},
		})
	}
}

// tracings are defects of task 3.
func tracings() []Mutant {
	half := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task3/tracing-50", Kills: kills, make: change}
	}
	return []Mutant{
		half("tracing-40", "40 % are sampled instead of 50 %", sampling(40), "sampled-agency", "sampled-portal", "exported"),
		half("tracing-portal-missing", "travel-portal's Telemetry is missing", few(altered(without("Telemetry", "telemetry-waypoint-travel-portal"))), "exported").besides("sampled-portal"),
		half("tracing-off", "nothing is reported", few(telemetry(func(t *telemetryv1.Telemetry) error {
			t.Spec.Tracing[0].DisableSpanReporting = wrapperspb.Bool(true)
			return nil
		})), "exported").besides("sampled-agency", "sampled-portal", "whole"),
		half("tracing-tagless", "spans do not say which request they are of", few(tagless()), "exported", "whole", "tree"),
		half("tracing-always", "half of the traces are sampled before and after", stays, "before", "after"),
		{Name: "tracing-0-leaks", Title: "3 % are sampled instead of nothing", Scenario: "task3/tracing-0", Kills: []string{"sampled", "exported"}, make: sampling(3)},
		{Name: "tracing-0-reports", Title: "everything is exported instead of nothing", Scenario: "task3/tracing-0", Kills: []string{"sampled", "exported"}, make: sampling(100)},
		{Name: "tracing-100-lacks", Title: "97 % are sampled instead of everything", Scenario: "task3/tracing-100", Kills: []string{"sampled", "exported"}, make: sampling(97)},
		{Name: "tracing-100-tagless", Title: "spans do not say which request they are of", Scenario: "task3/tracing-100", Kills: []string{"exported", "whole"}, make: tagless()},
	}
}

func telemetry(change func(*telemetryv1.Telemetry) error) func(*catalogue.Scenario) {
	return altered(on("Telemetry", change))
}

// sampling gives both waypoints another share.
func sampling(percent float64) func(*catalogue.Scenario) {
	return telemetry(func(t *telemetryv1.Telemetry) error { return manifests.SetSampling(t, percent) })
}

// tagless takes away the tag that tells which request a span is of.
func tagless() func(*catalogue.Scenario) {
	return telemetry(func(t *telemetryv1.Telemetry) error {
		t.Spec.Tracing[0].CustomTags = nil
		return nil
	})
}

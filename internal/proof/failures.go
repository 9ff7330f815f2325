package proof

import (
	"time"

	networkingv1 "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// serviceObject is a Service of Kubernetes, beside what is a service to Istio.
type serviceObject = corev1.Service

// wholeDelay is the delay that the faults declare.
const wholeDelay = 400 * time.Millisecond

// delays has the virtual service delay another share, or for another time.
func delays(percent float64, delay time.Duration) func(*catalogue.Scenario) {
	return service(func(v *networkingv1.VirtualService) error { return manifests.SetDelay(v, percent, delay) })
}

// aborts has it answer another share, or with another status.
func aborts(percent float64, status int32) func(*catalogue.Scenario) {
	return service(func(v *networkingv1.VirtualService) error { return manifests.SetAbort(v, percent, status) })
}

// faults are defects of fault injection.
func faults() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "faults/" + scenario, Kills: kills, make: change}
	}
	return []Mutant{
		of("delay-320ms", "the delay is a fifth shorter", "delay", delays(50, wholeDelay*4/5), "size").besides("others"),
		of("delay-440ms", "the delay is a tenth longer", "delay", delays(50, wholeDelay*11/10), "size"),
		of("delay-480ms", "the delay is a fifth longer", "delay", delays(50, wholeDelay*6/5), "size"),
		of("delay-others", "a tenth is delayed by 300 ms instead of half by 400 ms", "delay", delays(10, 300*time.Millisecond), "others", "share").besides("size"),
		of("delay-40", "40 % are delayed instead of half", "delay", delays(40, wholeDelay), "share"),
		of("delay-missing", "nothing is delayed", "delay", missing, "share"),
		of("delay-aborts", "a delayed request in ten is aborted too", "delay", aborts(10, 418), "answered"),
		of("delay-stays", "the delay, and aborts with it, are in force before and after", "delay", left(on("VirtualService", func(v *networkingv1.VirtualService) error {
			return manifests.SetAbort(v, 10, 418)
		})), "before", "before-latency", "after", "after-latency"),
		of("abort-12", "12 % are answered with 418 instead of 10 %", "abort", aborts(12, 418), "share", "others"),
		of("abort-8", "8 % are answered with 418 instead of 10 %", "abort", aborts(8, 418), "share", "others"),
		of("abort-400", "the status is 400", "abort", aborts(10, 400), "share"),
		of("abort-missing", "nothing is aborted", "abort", missing, "share", "others"),
		of("abort-stays", "the aborts, and a delay with them, are in force before and after", "abort", left(on("VirtualService", func(v *networkingv1.VirtualService) error {
			return manifests.SetDelay(v, 50, wholeDelay)
		})), "before", "before-latency", "after", "after-latency"),
		of("both-20", "a fifth is aborted instead of a tenth", "both", aborts(20, 418), "aborted", "together"),
		of("both-delays-30", "30 % are delayed instead of half", "both", delays(30, wholeDelay), "delayed").besides("together"),
		of("both-stays", "the faults are in force before and after", "both", stays, "before", "before-latency", "after", "after-latency"),
	}
}

// timeouts are defects of the request timeout.
func timeouts() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "timeouts/request", Kills: kills, make: change}
	}
	after := func(timeout time.Duration) func(*catalogue.Scenario) {
		return route(func(r *gatewayv1.HTTPRoute) error { return manifests.SetRequestTimeout(r, timeout) })
	}
	return []Mutant{
		of("timeout-700ms", "the timeout is 200 ms later", after(700*time.Millisecond), "elapsed"),
		of("timeout-400ms", "the timeout is 100 ms earlier", after(400*time.Millisecond), "elapsed"),
		of("timeout-100ms", "the timeout ends what is in time", after(100*time.Millisecond), "elapsed", "rows"),
		of("timeout-missing", "there is no timeout", missing, "elapsed", "status", "rows"),
		of("timeout-stays", "the timeout is in force before and after", stays, "before", "after"),
	}
}

// retries are defects of repetitions.
func retries() []Mutant {
	of := func(name, title, scenario string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "retries/" + scenario, Kills: kills, make: change}
	}
	repeats := func(attempts int32, on string) func(*catalogue.Scenario) {
		return service(func(v *networkingv1.VirtualService) error { return manifests.SetAttempts(v, attempts, on) })
	}
	return []Mutant{
		of("retry-one-fewer", "one repetition fewer", "503", repeats(2, "5xx"), "thrice", "spent"),
		of("retry-one-more", "one repetition more", "503", repeats(4, "5xx"), "spent"),
		of("retry-missing", "nothing is repeated", "503", missing, "once", "thrice", "spent"),
		of("retry-stays", "the rule is in force before and after", "503", stays, "before", "after"),
		of("retry-aborts", "one request in ten is answered with 418 by the mesh", "503", aborts(10, 418), "answers").besides("once", "thrice", "spent"),
		of("retry-reset-one-fewer", "one repetition fewer", "reset", repeats(2, "reset"), "thrice", "spent"),
		of("retry-reset-one-more", "one repetition more", "reset", repeats(4, "reset"), "spent"),
		of("retry-reset-not-meant", "a reset is not among what is repeated", "reset", repeats(3, "retriable-4xx"), "once", "thrice", "spent"),
		of("retry-reset-aborts", "one request in ten is answered with 418 by the mesh", "reset", aborts(10, 418), "answers").besides("once", "thrice", "spent"),
		of("retry-reset-stays", "the rule is in force before and after", "reset", stays, "before", "after"),
		of("retry-none-repeats", "a reset is repeated once", "none", repeats(1, "reset"), "reset"),
		of("retry-none-aborts", "one request in ten is answered with 418 by the mesh", "none", aborts(10, 418), "answers").besides("reset"),
		of("retry-route-one-fewer", "one repetition fewer", "httproute", route(func(r *gatewayv1.HTTPRoute) error {
			r.Spec.Rules[0].Retry.Attempts = new(1)
			return nil
		}), "twice", "spent"),
		of("retry-route-stays", "the route is in force after it is deleted", "httproute", stays, "after"),
	}
}

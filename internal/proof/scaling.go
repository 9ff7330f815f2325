package proof

import (
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

// autoscalers are defects of task 8.
func autoscalers() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task8/hpa", Kills: kills, make: change}
	}
	told := func(change func(*autoscalingv2.HorizontalPodAutoscalerSpec)) func(*catalogue.Scenario) {
		return altered(on("HorizontalPodAutoscaler", func(h *autoscalingv2.HorizontalPodAutoscaler) error {
			change(&h.Spec)
			return nil
		}))
	}
	return []Mutant{
		of("hpa-max-6", "the maximum is 6", briefly("bounds", warm(told(func(h *autoscalingv2.HorizontalPodAutoscalerSpec) { h.MaxReplicas = 6 }))), "bounds"),
		of("hpa-min-3", "the minimum is 3", briefly("bounds", warm(told(func(h *autoscalingv2.HorizontalPodAutoscalerSpec) { h.MinReplicas = new(int32(3)) }))), "bounds"),
		of("hpa-target-ignored", "the target is ten times what it should be: nothing is scaled", within(reaction, warm(told(func(h *autoscalingv2.HorizontalPodAutoscalerSpec) {
			h.Metrics[0].Resource.Target.AverageUtilization = new(int32(500))
		}))), "scaled", "serving"),
		of("hpa-always", "the autoscaler is in force before it is applied and after it is deleted", always, "before", "after"),
		of("hpa-two-before", "the waypoint has two replicas without the autoscaler", warm(func(*catalogue.Scenario) {}), "before"),
	}
}

// warm gives the waypoint from the beginning the two replicas that it will have
// under test: a pod less to be started, and its CPU to be known.
func warm(change func(*catalogue.Scenario)) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		change(s)
		for waypoint := range s.Replicas {
			s.Replicas[waypoint] = 2
		}
	}
}

// reaction is how long the load lasts of an autoscaler that wants no third
// replica: longer than it is promised to take, and no longer than the pods of the
// replica would.
const reaction = 105 * time.Second

// brief is how long something is watched that shows in every sample.
const brief = 3 * time.Second

// briefly watches the autoscaler as long only, not waiting for the figures that it
// scales by, and asks only the promise that needs no more of it.
func briefly(only string, change func(*catalogue.Scenario)) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		change(s)
		for i := range s.Drives {
			if s.Drives[i].Window == catalogue.Applied && s.Drives[i].Scaling != nil {
				s.Drives[i].Scaling.Lasts = brief
				s.Drives[i].Load.Hits = int(s.Drives[i].Load.Rate * brief.Seconds())
			}
		}
		for i := range s.Apply {
			s.Apply[i].Unawaited = true
		}
		s.Promises = slices.DeleteFunc(s.Promises, func(p record.Promise) bool { return p.ID != s.ID+"/"+only })
	}
}

// budgets are defects of task 9.
func budgets() []Mutant {
	of := func(name, title string, change func(*catalogue.Scenario), kills ...string) Mutant {
		return Mutant{Name: name, Title: title, Scenario: "task9/pdb", Kills: kills, make: within(evictions, change)}
	}
	told := func(change func(*policyv1.PodDisruptionBudgetSpec)) func(*catalogue.Scenario) {
		return altered(on("PodDisruptionBudget", func(b *policyv1.PodDisruptionBudget) error {
			change(&b.Spec)
			return nil
		}))
	}
	least := func(n int32) *intstr.IntOrString { return new(intstr.FromInt32(n)) }
	return []Mutant{
		of("pdb-missing", "there is no budget", missing, "alone", "edge", "available"),
		of("pdb-selects-nothing", "the budget selects no pod", told(func(b *policyv1.PodDisruptionBudgetSpec) {
			b.Selector.MatchLabels = map[string]string{"app": "nobody"}
		}), "alone", "allowed"),
		of("pdb-none-needed", "no replica has to stay", told(func(b *policyv1.PodDisruptionBudgetSpec) { b.MinAvailable = least(0) }),
			"alone", "edge", "allowed").besides("available"),
		of("pdb-two-needed", "two replicas have to stay", warm(told(func(b *policyv1.PodDisruptionBudgetSpec) { b.MinAvailable = least(2) })), "allowed"),
		of("pdb-hidden", "a budget of another name needs two replicas to stay", warm(hidden), "first"),
		of("pdb-stays", "the budget is in force before it is applied and after it is deleted", stays, "before", "after"),
	}
}

// hidden has a stricter budget than the declared one, under another name.
func hidden(s *catalogue.Scenario) {
	altered(on("PodDisruptionBudget", func(b *policyv1.PodDisruptionBudget) error {
		b.Name, b.Spec.MinAvailable = b.Name+"-hidden", new(intstr.FromInt32(2))
		return nil
	}))(s)
}

// evictions is how long the evictions of a waypoint are watched: longer than any
// deadline of the promises, shorter than the minute in which none may happen.
const evictions = 17 * time.Second

// within bounds how long replicas are watched.
func within(most time.Duration, change func(*catalogue.Scenario)) func(*catalogue.Scenario) {
	return func(s *catalogue.Scenario) {
		change(s)
		for i := range s.Drives {
			if s.Drives[i].Scaling != nil {
				s.Drives[i].Scaling.Lasts = min(s.Drives[i].Scaling.Lasts, most)
			}
		}
	}
}

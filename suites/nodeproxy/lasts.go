package nodeproxy

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/wayproof/wayproof/cmd/agent/link"
)

// itLasts is about load, and what the way through the proxies costs.
func itLasts(b *bed) {
	Describe("under load", func() {
		It("carries 20000 requests on one kept connection without an error", func(ctx SpecContext) {
			b.carries(ctx, link.Question{URL: serverURL(inside), Connections: 1, Requests: 20000, Timeout: 10 * time.Second})
		}, NodeTimeout(4*within))

		It("carries 200 connections at once without an error", func(ctx SpecContext) {
			b.carries(ctx, link.Question{URL: serverURL(inside), Connections: 200, Requests: 25, Timeout: 30 * time.Second})
		}, NodeTimeout(2*within))

		It("adds a latency that is measured against an uncaptured pair of the same nodes", func(ctx SpecContext) {
			for _, fresh := range []bool{false, true} {
				direct, through := b.compare(ctx, fresh)
				kind := "request on a kept connection"
				if fresh {
					kind = "request on a new connection"
				}
				AddReportEntry(kind, fmt.Sprintf("direct p50 %v p90 %v p99 %v, through the node proxies p50 %v p90 %v p99 %v: added p50 %v",
					direct.P50, direct.P90, direct.P99, through.P50, through.P90, through.P99, through.P50-direct.P50))
				Expect(through.Count).To(Equal(direct.Count))
			}
		}, NodeTimeout(3*within))
	})
}

func (b *bed) carries(ctx context.Context, q link.Question) {
	GinkgoHelper()
	began := time.Now()
	answers, err := b.ask(ctx, caller(inside), q)
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("answers", fmt.Sprintf("%d answered, %d failed, %d connections opened, p50 %v p99 %v max %v, %v in all",
		answers.Requests, answers.Failed, answers.Dialed, answers.Latency.P50, answers.Latency.P99, answers.Latency.Max,
		time.Since(began).Round(time.Millisecond)))
	Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
	Expect(answers.Requests).To(Equal(q.Connections * q.Requests))
	Expect(answers.Dialed).To(Equal(q.Connections), "connections that broke and were opened again")
}

// rounds is how often the two ways take turns, so that what else the machine
// does meets both.
const rounds = 9

// compare gives the medians, over the rounds, of each round's quantiles.
func (b *bed) compare(ctx context.Context, fresh bool) (direct, through link.Quantiles) {
	var all [2][]link.Quantiles
	for range rounds {
		for i, namespace := range []string{outside, inside} {
			q := link.Question{URL: serverURL(namespace), Connections: 1, Requests: 300, Timeout: 10 * time.Second, Fresh: fresh}
			answers, err := b.ask(ctx, caller(namespace), q)
			Expect(err).NotTo(HaveOccurred())
			Expect(answers.Failed).To(BeZero(), "%v", answers.Errors)
			all[i] = append(all[i], answers.Latency)
		}
	}
	return medians(all[0]), medians(all[1])
}

func medians(rounds []link.Quantiles) link.Quantiles {
	middle := func(pick func(link.Quantiles) time.Duration) time.Duration {
		var values []time.Duration
		for _, round := range rounds {
			values = append(values, pick(round))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	total := 0
	for _, round := range rounds {
		total += round.Count
	}
	return link.Quantiles{
		Count: total,
		P50:   middle(func(q link.Quantiles) time.Duration { return q.P50 }),
		P90:   middle(func(q link.Quantiles) time.Duration { return q.P90 }),
		P99:   middle(func(q link.Quantiles) time.Duration { return q.P99 }),
		Max:   middle(func(q link.Quantiles) time.Duration { return q.Max }),
	}
}

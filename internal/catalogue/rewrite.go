package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
)

// rewrites is task 6: traffic rewrite.
func rewrites() []Scenario {
	return []Scenario{
		quoteScenario(Scenario{
			ID: "task6/rewrite", Task: "task6", Title: "answers for Madrid with the quote for Amsterdam and leaves other paths alone",
			Apply:  []Piece{{File: "corrected/09-travel-rewrite.yaml"}},
			Expect: 13 * time.Second, Labels: []string{Quick},
		}, rewriteCases(claim.Conditions{})),
		quoteScenario(Scenario{
			ID: "task6/rewrite-original", Task: "task6", Title: "answers other paths with 404 while the workshop's own file, which has no rule for them, is applied",
			Apply:  []Piece{{File: "workshop/09-travel-rewrite.yaml"}},
			Expect: 13 * time.Second,
		}, rewriteCases(unrouted())),
		rewriteTable(),
	}
}

// rewriteCases are those of a route that treats other paths as others says, or
// as they are if it says nothing.
func rewriteCases(others claim.Conditions) []quoteCase {
	cases := []quoteCase{
		{ask("madrid", travelsURL+"/travels/Madrid"), quoted(madridQuote, "/travels/Madrid"), quoted(amsterdamQuote, "/travels/Amsterdam")},
		{
			ask("madrid-query", travelsURL+"/travels/Madrid?adults=2&via=%2Ftravels%2FMadrid"),
			quoted(madridQuote, "/travels/Madrid?adults=2&via=%2Ftravels%2FMadrid"),
			quoted(amsterdamQuote, "/travels/Amsterdam?adults=2&via=%2Ftravels%2FMadrid"),
		},
		{ask("madrid-below", travelsURL+"/travels/Madrid/hotels"), refused("/travels/Madrid/hotels"), refused("/travels/Amsterdam/hotels")},
		untouched("madridx", "/travels/Madridx", refused("/travels/Madridx")),
		untouched("amsterdam", "/travels/Amsterdam", quoted(amsterdamQuote, "/travels/Amsterdam")),
		untouched("list", "/travels", listed()),
	}
	if others.Status != 0 {
		for i := 3; i < len(cases); i++ {
			cases[i].routed = others
		}
	}
	return cases
}

// unrouted is the waypoint's answer to what no rule matches: its own 404, which
// bears none of the marks of a backend.
func unrouted() claim.Conditions {
	return claim.Conditions{
		Status: 404, Server: "istio-envoy", HeaderAbsent: []string{envoyTime},
		Backend: &claim.Backend{Of: travelsPods(), Arrivals: new(0)},
	}
}

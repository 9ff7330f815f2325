package catalogue

import (
	"time"

	"github.com/wayproof/wayproof/internal/claim"
)

// redirects is task 5: traffic redirect.
func redirects() []Scenario {
	return []Scenario{
		quoteScenario(Scenario{
			ID: "task5/redirect", Task: "task5", Title: "sends clients that ask for Madrid to Amsterdam and no others",
			Apply:  []Piece{{File: "workshop/08-travel-redirect.yaml"}},
			Expect: 15 * time.Second, Labels: []string{Quick},
		}, redirectCases()),
		redirectTable(),
	}
}

// shortURL is the same Service by a shorter name: the redirect must keep the
// host as the client sent it.
const shortURL = "http://travels.travel-agency.svc:8000"

func redirectCases() []quoteCase {
	return []quoteCase{
		{ask("madrid", travelsURL+"/travels/Madrid"), quoted(madridQuote, "/travels/Madrid"), redirected(travelsURL + "/travels/Amsterdam")},
		{ask("madrid-short-host", shortURL+"/travels/Madrid"), quoted(madridQuote, "/travels/Madrid"), redirected(shortURL + "/travels/Amsterdam")},
		{
			ask("madrid-query", travelsURL+"/travels/Madrid?adults=2&via=%2Ftravels%2FMadrid"),
			quoted(madridQuote, "/travels/Madrid?adults=2&via=%2Ftravels%2FMadrid"),
			redirected(travelsURL + "/travels/Amsterdam?adults=2&via=%2Ftravels%2FMadrid"),
		},
		{ask("madrid-below", travelsURL+"/travels/Madrid/hotels"), refused("/travels/Madrid/hotels"), redirected(travelsURL + "/travels/Amsterdam/hotels")},
		untouched("madridx", "/travels/Madridx", refused("/travels/Madridx")),
		untouched("amsterdam", "/travels/Amsterdam", quoted(amsterdamQuote, "/travels/Amsterdam")),
		untouched("list", "/travels", listed()),
	}
}

// untouched is a request that the route leaves as it is.
func untouched(name, path string, want claim.Conditions) quoteCase {
	return quoteCase{ask(name, travelsURL+path), want, want}
}

// redirected is a redirect by the waypoint: to exactly there, with nothing of
// the request at the backend.
func redirected(location string) claim.Conditions {
	return claim.Conditions{
		Status: 302, Location: location, Server: "istio-envoy",
		Backend: &claim.Backend{Of: travelsPods(), Arrivals: new(0)},
	}
}

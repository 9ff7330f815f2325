package catalogue

// paths is routing by request path. The demo knows only some of the paths; a 404
// of its own says in a header who gives it.
func paths() []Scenario {
	return []Scenario{
		matching(Scenario{ID: "paths/exact", Task: "paths", Title: "sends one path exactly, and no other, to v2"}, "path-exact",
			toPath("itself", "v2", 200, "/cars/Madrid"),
			toPath("with a query", "v2", 200, "/cars/Madrid?when=now"),
			toPath("slash at the end", "v1", 404, "/cars/Madrid/"),
			toPath("below", "v1", 404, "/cars/Madrid/x"),
			toPath("other case", "v1", 200, "/cars/madrid"),
			toPath("other city", "v1", 200, "/cars/Rome")).labelled(Quick),
		matching(Scenario{ID: "paths/prefix", Task: "paths", Title: "sends a path and what lies under it to v2"}, "path-prefix",
			toPath("itself", "v2", 200, "/cars/Madrid"),
			toPath("with a query", "v2", 200, "/cars/Madrid?when=now"),
			toPath("longer name", "v1", 404, "/cars/Madridejos"),
			toPath("other case", "v1", 200, "/cars/madrid"),
			toPath("other city", "v1", 200, "/cars/Rome"),
			below("slash at the end", "v2", "/cars/Madrid/"),
			below("below", "v2", "/cars/Madrid/x/y")),
		matching(Scenario{ID: "paths/boundary", Task: "paths", Title: "ends a prefix at a path element: /v2example is not under /v2"}, "path-boundary",
			below("itself", "v2", "/v2"),
			below("slash at the end", "v2", "/v2/"),
			below("below", "v2", "/v2/example"),
			below("with a query", "v2", "/v2?when=now"),
			below("longer name", "v1", "/v2example"),
			below("other case", "v1", "/V2")),
		matching(Scenario{ID: "paths/longest", Task: "paths", Title: "prefers the longest prefix, and an exact path to any, whatever their order"}, "path-longest",
			below("longest prefix", "v2", "/cars/Madrid/x"),
			below("slash at the end", "v2", "/cars/Madrid/"),
			toPath("exact", "v1", 200, "/cars/Madrid"),
			toPath("longer name", "v1", 404, "/cars/Madridejos"),
			toPath("shorter prefix", "v1", 200, "/cars/Rome")),
	}
}

// toPath is a request for a path and how cars itself answers it.
func toPath(name, version string, status int, path string) variant {
	return variant{target: get(name, carsURL+path), version: version, status: status}
}

// below is a request for a path that the demo does not know.
func below(name, version, path string) variant { return toPath(name, version, 404, path) }

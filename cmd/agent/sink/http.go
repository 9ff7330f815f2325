package sink

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// handler is what readers see of the store.
func handler(s *store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /spans", func(w http.ResponseWriter, r *http.Request) { give(s, w, r) })
	mux.HandleFunc("DELETE /spans", func(w http.ResponseWriter, _ *http.Request) {
		s.clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// A reader that hangs up is no concern of the sink.
		_ = json.NewEncoder(w).Encode(s.stats())
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// give writes spans as lines. How many were lost to the bound goes ahead of
// them, so that a reader cannot take a shortened account for a complete one.
func give(s *store, w http.ResponseWriter, r *http.Request) {
	since := uint64(0)
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseUint(text, 10, 64); err != nil {
			http.Error(w, "since is not a number: "+text, http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Wayproof-Overflowed", strconv.FormatUint(s.stats().Overflowed, 10))
	if err := s.write(w, since); err != nil {
		// The status is gone with the first line; breaking off is what is left, and
		// a reader sees it.
		panic(http.ErrAbortHandler)
	}
}

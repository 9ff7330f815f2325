package kube

import (
	"context"
	"sync"
)

// warnings gathers the Warning headers of the requests made under one context,
// so that each can be laid at the door of the object that caused it.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

type warningsKey struct{}

func withWarnings(ctx context.Context) (context.Context, *warnings) {
	w := &warnings{}
	return context.WithValue(ctx, warningsKey{}, w), w
}

func (w *warnings) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.texts...)
}

// warningsToContext is the client's warning handler: to the collector of the
// request's context if there is one, else to nowhere (reads warn too, of
// deprecated versions, and nobody asked).
type warningsToContext struct{}

func (warningsToContext) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	w, ok := ctx.Value(warningsKey{}).(*warnings)
	if !ok || code != 299 || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

package ready

import (
	"fmt"
	"slices"
	"strings"
)

// tally counts, proxy by proxy, how often the nonce of the watched type has
// changed since the count began.
type tally struct {
	watched string // type of resource
	seen    map[string]standing
}

type standing struct {
	istiod  string
	nonce   string
	changes int
	moved   bool // since the last mark
}

func newTally(watched string) *tally { return &tally{watched: watched, seen: map[string]standing{}} }

// note takes a reading of the wanted proxies. A proxy that went to another
// istiod starts anew: its new istiod's queue knows nothing of the old one's.
func (t *tally) note(wanted []string, proxies map[string]proxy) {
	for _, id := range wanted {
		p, connected := proxies[id]
		nonce := p.Types[t.watched].Sent
		if !connected || nonce == "" {
			delete(t.seen, id)
			continue
		}
		before, known := t.seen[id]
		switch {
		case !known || before.istiod != p.Istiod:
			t.seen[id] = standing{istiod: p.Istiod, nonce: nonce, moved: true}
		case before.nonce != nonce:
			t.seen[id] = standing{istiod: p.Istiod, nonce: nonce, changes: before.changes + 1, moved: true}
		}
	}
}

// mark begins a round: no proxy has moved yet.
func (t *tally) mark() {
	for id, s := range t.seen {
		s.moved = false
		t.seen[id] = s
	}
}

// moved tells whether every wanted proxy was sent something since the mark, or
// joined since, and says who was not.
func (t *tally) moved(wanted []string) (bool, string) {
	var behind []string
	for _, id := range wanted {
		s, known := t.seen[id]
		switch {
		case !known:
			behind = append(behind, id+" has no stream to istiod")
		case !s.moved:
			behind = append(behind, fmt.Sprintf("%s was sent %d of %d pushes", id, s.changes, Rounds))
		}
	}
	slices.Sort(behind)
	return len(behind) == 0, strings.Join(behind, "; ")
}

// least is the smallest count of changes of the wanted proxies.
func (t *tally) least(wanted []string) int {
	least := Rounds
	for _, id := range wanted {
		least = min(least, t.seen[id].changes)
	}
	return least
}

// Rejected is a proxy that refused what it was sent. It goes on serving what it
// had before.
type Rejected struct {
	Proxy string
	Why   string
}

func (r *Rejected) Error() string {
	return fmt.Sprintf("%s refused the configuration that istiod sent it: %s", r.Proxy, r.Why)
}

// acknowledged tells which of the wanted proxies have not answered all that
// they were sent, empty if all have, and who refused something and never took
// anything of its kind since.
func acknowledged(wanted []string, proxies map[string]proxy) (string, *Rejected) {
	var waiting []string
	var rejected *Rejected
	for _, id := range wanted {
		p, connected := proxies[id]
		if !connected {
			waiting = append(waiting, id+" has no stream to istiod")
			continue
		}
		open, refused := p.pending()
		if refused != "" {
			rejected = &Rejected{Proxy: id, Why: refused}
		}
		if len(open) > 0 {
			waiting = append(waiting, id+": "+strings.Join(open, ", "))
		}
	}
	return strings.Join(waiting, "; "), rejected
}

package chaos

import "slices"

// Trial plays a schedule and reports whether it breaks a promise. An error ends
// the search.
type Trial func(strikes []Strike) (violates bool, err error)

// Shrink looks for a schedule from which no strike can be left out without the
// violation going away (delta debugging: Zeller and Hildebrandt, "Simplifying
// and Isolating Failure-Inducing Input", 2002, algorithm ddmin). The strikes
// must violate; what is returned does, by the trial's own word. Trials counts
// how often it was asked. The result is minimal for one strike at a time, not
// the smallest that there is.
func Shrink(strikes []Strike, trial Trial) (minimal []Strike, trials int, err error) {
	tried := func(s []Strike) (bool, error) {
		trials++
		return trial(s)
	}
	minimal = slices.Clone(strikes)
	for parts := 2; len(minimal) >= 2; {
		found, err := reduce(minimal, parts, tried)
		if err != nil {
			return minimal, trials, err
		}
		switch {
		case found.strikes != nil:
			minimal, parts = found.strikes, found.parts
		case parts >= len(minimal):
			return minimal, trials, nil
		default:
			parts = min(2*parts, len(minimal))
		}
	}
	return minimal, trials, nil
}

// reduction is a smaller schedule that still violates, and into how many parts
// to cut it next.
type reduction struct {
	strikes []Strike
	parts   int
}

// reduce tries each part alone, then everything but each part.
func reduce(strikes []Strike, parts int, trial Trial) (reduction, error) {
	chunks := split(strikes, parts)
	for _, chunk := range chunks {
		if violates, err := trial(chunk); violates || err != nil {
			return reduction{chunk, 2}, err
		}
	}
	if parts == 2 {
		return reduction{}, nil // the complements are the parts
	}
	for i := range chunks {
		rest := slices.Concat(slices.Delete(slices.Clone(chunks), i, i+1)...)
		if violates, err := trial(rest); violates || err != nil {
			return reduction{rest, max(parts-1, 2)}, err
		}
	}
	return reduction{}, nil
}

// split cuts into parts of nearly equal size, none empty.
func split(strikes []Strike, parts int) [][]Strike {
	chunks := make([][]Strike, 0, parts)
	for i := range parts {
		from, to := i*len(strikes)/parts, (i+1)*len(strikes)/parts
		if from < to {
			chunks = append(chunks, strikes[from:to])
		}
	}
	return chunks
}

package digest

import (
	"cmp"
	"slices"
)

// Others is the name under which keys beyond a limit are counted together:
// a run under fault can name more pods than a picture has room for.
const Others = "others"

// Counts counts a bounded number of keys.
type Counts struct {
	limit int
	n     map[string]int
}

// NewCounts counts up to limit keys by name.
func NewCounts(limit int) *Counts { return &Counts{limit: limit, n: map[string]int{}} }

// Add counts a key once and gives the name that it is counted under.
func (c *Counts) Add(key string) string {
	if _, known := c.n[key]; !known && len(c.n) >= c.limit {
		key = Others
	}
	c.n[key]++
	return key
}

// Of is the count of a key.
func (c *Counts) Of(key string) int { return c.n[key] }

// Total is the sum of all counts.
func (c *Counts) Total() int {
	total := 0
	for _, n := range c.n {
		total += n
	}
	return total
}

// Keys gives the keys, the most frequent first.
func (c *Counts) Keys() []string {
	var keys []string
	for key := range c.n {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.n[b], c.n[a]), cmp.Compare(a, b))
	})
	return keys
}

// Lanes count requests by class and slice of time.
type Lanes struct {
	classes *Counts
	counts  map[string]*[Slices]int
}

func newLanes() *Lanes { return &Lanes{classes: NewCounts(10), counts: map[string]*[Slices]int{}} }

func (l *Lanes) add(at int, class string) {
	class = l.classes.Add(class)
	if l.counts[class] == nil {
		l.counts[class] = new([Slices]int)
	}
	l.counts[class][at]++
}

// Classes gives the classes, the most frequent first.
func (l *Lanes) Classes() []string { return l.classes.Keys() }

// Total is the number of requests of all classes.
func (l *Lanes) Total() int { return l.classes.Total() }

// Of is the number of requests of a class, in all and by slice of time.
func (l *Lanes) Of(class string) (total int, bySlice [Slices]int) {
	if counts := l.counts[class]; counts != nil {
		bySlice = *counts
	}
	return l.classes.Of(class), bySlice
}

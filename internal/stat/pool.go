package stat

// Pool puts all groups that are too small for Disperse into one, so that a few
// of them do not keep the others from being compared: a busy client opens
// connections for a request or two. Which groups are put together follows from
// their sizes alone, never from their hits, so that under independent picks the
// pool is a group like any other. Where more than half of all requests would
// lie in the pool the groups are returned as they are, and Disperse is not
// Ready: too little is left that would show sticky groups.
func Pool(groups []Group) []Group {
	var total Group
	for _, g := range groups {
		total = total.with(g)
	}
	rare := float64(min(total.Hits, total.Size-total.Hits))
	var large []Group
	var pool Group
	for _, g := range groups {
		if float64(g.Size)*rare >= leastExpected*float64(total.Size) {
			large = append(large, g)
		} else {
			pool = pool.with(g)
		}
	}
	switch {
	case 2*pool.Size > total.Size:
		return groups
	case float64(pool.Size)*rare >= leastExpected*float64(total.Size):
		return append(large, pool)
	default:
		return large // what is left over is too little to be a group
	}
}

func (g Group) with(other Group) Group {
	return Group{Hits: g.Hits + other.Hits, Size: g.Size + other.Size}
}

package hbone

// Waiting counts the callers that are in the pool and have no connection yet.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lanes {
		l.mu.Lock()
		n += l.waiting + len(l.turn)
		l.mu.Unlock()
	}
	return n
}

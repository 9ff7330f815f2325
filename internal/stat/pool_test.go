package stat_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/stat"
)

func TestPool(t *testing.T) {
	big := stat.Group{Hits: 70, Size: 100}
	cases := []struct {
		name       string
		given, got []stat.Group
	}{
		{"large groups stay", []stat.Group{big, big}, []stat.Group{big, big}},
		{"small ones become one", []stat.Group{big, big, {7, 10}, {7, 10}}, []stat.Group{big, big, {14, 20}}},
		{"a pool that is still too small is left out", []stat.Group{big, big, {1, 1}, {1, 2}}, []stat.Group{big, big}},
		{"with most in small groups nothing is hidden", []stat.Group{{7, 10}, {7, 10}, {7, 10}}, []stat.Group{{7, 10}, {7, 10}, {7, 10}}},
	}
	for _, c := range cases {
		assert.Equal(t, c.got, stat.Pool(c.given), c.name)
	}
}

// Sticky groups show through the pool, independent ones do not look sticky for it.
func TestPooledGroupsAreJudgedAsTheyAre(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(sticky bool) []stat.Group {
		var groups []stat.Group
		for i := range 120 {
			g := stat.Group{Size: 60}
			if i >= 40 {
				g.Size = 1 + i%4
			}
			own := random.Float64() < 0.7
			for range g.Size {
				if sticky && own || !sticky && random.Float64() < 0.7 {
					g.Hits++
				}
			}
			groups = append(groups, g)
		}
		return groups
	}
	low := 0
	for range 300 {
		d := stat.Disperse(stat.Pool(draw(false)))
		assert.True(t, d.Ready)
		if d.Over < 0.01 {
			low++
		}
	}
	assert.Less(t, low, 14, "about 3 of 300 are expected")
	assert.Less(t, stat.Disperse(stat.Pool(draw(true))).Over, 1e-12)
}

package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWhatAFailedRequestIs is the one meaning that gate, history and reports share.
func TestWhatAFailedRequestIs(t *testing.T) {
	for name, test := range map[string]struct {
		seen Observation
		want bool
	}{
		"answered":             {Observation{Class: ClassOK, Status: 200}, false},
		"refused by the mesh":  {Observation{Class: ClassOK, Status: 404}, false},
		"499":                  {Observation{Class: ClassOK, Status: 499}, false},
		"500":                  {Observation{Class: ClassOK, Status: 500}, true},
		"no final status":      {Observation{Class: ClassOK, Status: 101}, true},
		"no answer":            {Observation{Class: ClassReset}, true},
		"answered when resent": {Observation{Class: ClassOK, Status: 200, Replays: 1}, true},
	} {
		assert.Equal(t, test.want, test.seen.Failed(), name)
	}
}

package debian

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIsDebian(t *testing.T) {
	for name, tc := range map[string]struct {
		release string
		want    bool
	}{
		"debian":         {"PRETTY_NAME=\"Debian\"\nID=debian\n", true},
		"ubuntu":         {"ID=ubuntu\nID_LIKE=debian\n", true},
		"derivative":     {"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true},
		"fedora":         {"ID=fedora\n", false},
		"name only":      {"NAME=debian\nID=arch\n", false},
		"nothing at all": {"", false},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, isDebian(tc.release)) })
	}
}

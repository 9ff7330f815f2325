package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhereABrowserIsRequired(t *testing.T) {
	for _, test := range []struct {
		ci, browser string
		want        bool
	}{
		{"", "", false}, {"true", "", true}, {"", "required", true}, {"false", "", false}, {"", "optional", false},
	} {
		t.Setenv("CI", test.ci)
		t.Setenv("WAYPROOF_BROWSER", test.browser)
		assert.Equal(t, test.want, browserRequired(), "CI=%s WAYPROOF_BROWSER=%s", test.ci, test.browser)
	}
}

func TestAMissingBrowserSaysHowToInstallIt(t *testing.T) {
	t.Setenv("CHROMIUM", "")
	t.Setenv("PATH", t.TempDir())
	path, reason := chromium()
	assert.Empty(t, path)
	assert.Contains(t, reason, "make browser")
}

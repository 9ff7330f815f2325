package progress

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStepsNest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		lines := New(&out)
		outer := lines.Step("outer")
		time.Sleep(1500 * time.Millisecond)
		inner := lines.Step("inner")
		lines.Note("%d things", 2)
		inner(errors.New("broken"))
		time.Sleep(time.Minute)
		outer(nil)
		lines.Note("after")
		assert.Equal(t, strings.Join([]string{
			"[  0:00] outer ...",
			"[  0:02]   inner ...",
			"[  0:02]     2 things",
			"[  0:02]   inner FAILED in 0s",
			"[  1:02] outer done in 1m1.5s",
			"[  1:02] after", "",
		}, "\n"), out.String())
	})
}

func TestATerminalShowsTheRunningStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		lines := &Lines{out: &out, live: true, start: time.Now()}
		done := lines.Step("compile")
		time.Sleep(3500 * time.Millisecond)
		done(nil)
		text := out.String()
		for _, ticked := range []string{"compile 1s", "compile 2s", "compile 3s"} {
			assert.Contains(t, text, ticked)
		}
		assert.True(t, strings.HasSuffix(text, "\r\033[K[  0:04] compile done in 3.5s\n"), text)
		time.Sleep(10 * time.Second)
		assert.Equal(t, text, out.String(), "nothing ticks on")
	})
}

func TestConcurrentStepsKeepWholeLines(t *testing.T) {
	var out bytes.Buffer
	lines := New(&out)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			done := lines.Step("work")
			lines.Note("note")
			done(nil)
		})
	}
	group.Wait()
	line := regexp.MustCompile(`^\[ *\d+:\d\d\]  *(work \.\.\.|work done in \S+|note)$`)
	all := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, all, 60)
	for _, each := range all {
		assert.Regexp(t, line, each)
	}
}

func TestWhatIsNoTerminal(t *testing.T) {
	assert.False(t, IsTerminal(&bytes.Buffer{}))
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer file.Close()
	assert.False(t, IsTerminal(file))
}

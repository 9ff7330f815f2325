package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/html"
)

// reader is a browser with the page open, and everything that it complained about.
type reader struct {
	t      *testing.T
	ctx    context.Context //nolint:containedctx // chromedp's tab is a context
	page   string
	mu     sync.Mutex
	errors []string
	sent   []string // requests other than that for the page
}

// chromium is the path of a browser, or "" with the reason.
func chromium() (path, reason string) {
	if path = os.Getenv("CHROMIUM"); path != "" {
		return path, ""
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	return "", "no Chromium on this machine: install it by make browser, or set CHROMIUM to its path"
}

// browserRequired is true where a page that nobody has opened must not pass: in
// CI, or where it is asked for.
func browserRequired() bool {
	return os.Getenv("CI") == "true" || os.Getenv("WAYPROOF_BROWSER") == "required"
}

// open renders a run and opens its page in a window of the given size.
func open(t *testing.T, source record.Source, width, height int) *reader {
	t.Helper()
	var rendered bytes.Buffer
	require.NoError(t, html.Render(t.Context(), &rendered, source, ""))
	return show(t, rendered.Bytes(), width, height)
}

// show opens a page in a window of the given size.
func show(t *testing.T, text []byte, width, height int) *reader {
	t.Helper()
	path, reason := chromium()
	if path == "" {
		require.False(t, browserRequired(), reason)
		t.Skip(reason)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	r := &reader{t: t, page: (&url.URL{Scheme: "file", Path: file}).String()}
	r.start(path, width, height)
	r.do(chromedp.Navigate(r.page))
	return r
}

func (r *reader) start(path string, width, height int) {
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.WindowSize(width, height), chromedp.DisableGPU, chromedp.NoSandbox)
	limited, stop := context.WithTimeout(r.t.Context(), 2*time.Minute)
	allocated, release := chromedp.NewExecAllocator(limited, options...)
	tab, closeTab := chromedp.NewContext(allocated, chromedp.WithListener(r.listen))
	r.t.Cleanup(func() {
		closeTab()
		release()
		stop()
	})
	r.ctx = tab
}

// listen collects what a silent page never causes.
func (r *reader) listen(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		r.errors = append(r.errors, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		r.errors = append(r.errors, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		r.errors = append(r.errors, e.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		r.errors = append(r.errors, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		if sent := e.Request.URL; sent != r.page && !strings.HasPrefix(sent, "data:") && !strings.HasPrefix(sent, r.page+"#") {
			r.sent = append(r.sent, sent)
		}
	}
}

func (r *reader) do(actions ...chromedp.Action[chromedp.Void]) {
	r.t.Helper()
	require.NoError(r.t, chromedp.Do(r.ctx, actions...))
}

// press gives keys to whatever has the focus.
func (r *reader) press(keys string) {
	r.t.Helper()
	r.do(chromedp.KeyEvent(keys))
}

// quiet demands that the page has caused no complaint and no request.
func (r *reader) quiet() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Empty(r.t, r.errors)
	require.Empty(r.t, r.sent)
}

// ask evaluates an expression in the page.
func ask[T any](r *reader, expression string, options ...chromedp.EvaluateOption) T {
	r.t.Helper()
	answer, err := chromedp.Run(r.ctx, chromedp.Evaluate[T](expression, options...))
	require.NoError(r.t, err)
	return answer
}

// cards lists the promises that are shown, by id.
func (r *reader) cards() []string {
	r.t.Helper()
	return ask[[]string](r, `[...document.querySelectorAll("details.promise")].filter(c => c.offsetParent !== null)
		.map(c => c.querySelector(".id").firstChild.textContent.trim())`)
}

// rows counts the rows of the table that are shown.
func (r *reader) rows() int {
	r.t.Helper()
	return ask[int](r, `[...document.querySelectorAll("tr.row")].filter(c => c.offsetParent !== null).length`)
}

// screenshot writes a picture of the whole page into the directory SHOTS, if set.
func (r *reader) screenshot(name string) {
	r.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(r.ctx, chromedp.FullScreenshot(100))
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// call runs a command of the DevTools protocol.
func call[P, R any](r *reader, command cdp.Command[P, R], params P) {
	r.t.Helper()
	_, err := chromedp.Call(r.ctx, command, params)
	require.NoError(r.t, err)
}

// prefer sets the reader's colour scheme.
func (r *reader) prefer(scheme string) {
	r.t.Helper()
	call(r, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// phone makes the window a phone's.
func (r *reader) phone() {
	r.t.Helper()
	call(r, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: phone, Height: phoneHeight, DeviceScaleFactor: 1, Mobile: true})
}

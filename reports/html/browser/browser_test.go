package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/reports/internal/sample"
)

// The size of a board room's screen and of a phone.
const (
	desk, deskHeight   = 1280, 900
	phone, phoneHeight = 390, 844
)

func TestPageRendersAndIsSilent(t *testing.T) {
	source := sample.New(1724, 1)
	r := open(t, source, desk, deskHeight)
	assert.Equal(t, "violated: wayproof "+source.Run().ID, ask[string](r, `document.title`))
	assert.Len(t, r.cards(), len(source.Run().Verdicts))
	assert.Equal(t, len(source.Run().Verdicts), r.rows())
	assert.True(t, ask[bool](r, `[...document.querySelectorAll("details[open] svg")].every(s => s.getBoundingClientRect().height > 20)`))
	assert.Zero(t, ask[int](r, `document.querySelectorAll("svg [x=NaN], svg [y=NaN], svg [d*=NaN], svg [width=NaN]").length`))
	r.screenshot("light")
	r.quiet()
}

func TestFilters(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	r.do(chromedp.SendKeys(chromedp.CSS("#text"), "mirror v2"))
	assert.Equal(t, []string{"task7/mirror-100"}, r.cards())
	assert.Equal(t, 1, r.rows())
	r.do(chromedp.SendKeys(chromedp.CSS("#text"), " no such thing"))
	assert.Empty(t, r.cards())
	assert.True(t, ask[bool](r, `document.getElementById("none").offsetParent !== null`))
	r.do(chromedp.SendKeys(chromedp.CSS("#text"), kb.Escape))
	assert.Len(t, r.cards(), 20)
	ask[any](r, `task.value = "task4"; task.dispatchEvent(new Event("input", {bubbles: true})); null`)
	assert.Equal(t, []string{"task4/split-70-30", "task4/split-90-10", "task4/split-90-10-independence"}, r.cards())
	r.do(chromedp.Click(chromedp.CSS(`.chip.held`)))
	assert.Equal(t, []string{"task4/split-70-30"}, r.cards())
	assert.Equal(t, "1 of 20 shown", ask[string](r, `document.getElementById("shown").textContent`))
	r.quiet()
}

func TestKeyboardAlone(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	focus := func() string { return ask[string](r, `document.activeElement.id || document.activeElement.className`) }
	card := func() string { return ask[string](r, `document.activeElement.closest("details.promise")?.id ?? ""`) }
	r.press(kb.Tab)
	assert.Equal(t, "skip", focus(), "the first stop skips the head")
	r.press("j")
	assert.Equal(t, "p1", card())
	r.press("j")
	assert.Equal(t, "p2", card())
	opened := func() bool { return ask[bool](r, `document.getElementById("p2").open`) }
	require.False(t, opened(), "what held is folded")
	r.press(kb.Enter)
	assert.True(t, opened())
	r.press("k")
	assert.Equal(t, "p1", card())
	r.press("/")
	assert.Equal(t, "text", focus())
	r.press("jk") // letters, not steps, while one writes
	assert.True(t, strings.HasSuffix(ask[string](r, `document.getElementById("text").value`), "jk"))
	r.press(kb.Escape)
	r.do(chromedp.Focus(chromedp.CSS(`.chip.violated input`)), chromedp.KeyEvent(" "))
	assert.Len(t, r.cards(), 16)
	r.do(chromedp.Focus(chromedp.CSS(`#unfold`)), chromedp.KeyEvent(kb.Enter))
	assert.True(t, ask[bool](r, `[...document.querySelectorAll("details.promise")].filter(c => !c.hidden).every(c => c.open)`))
	r.quiet()
}

func TestLinkOpensItsPromise(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	r.do(chromedp.Click(chromedp.CSS(`a[href="#p5"]`)))
	// The page opens the card when the browser tells it of the new address,
	// which it does in its own time.
	r.do(chromedp.Poll[chromedp.Void](`document.getElementById("p5").open`))
	r.quiet()
}

// TestHostileStringsRunNothing opens a run in which everything that a cluster
// can write is a payload, and opens every card of it.
func TestHostileStringsRunNothing(t *testing.T) {
	hostile, err := sample.NewHostile(1)
	require.NoError(t, err)
	r := open(t, hostile, desk, deskHeight)
	r.do(chromedp.Click(chromedp.CSS("#unfold")), chromedp.SendKeys(chromedp.CSS("#text"), "<script>"))
	assert.NotEmpty(t, r.cards())
	assert.Equal(t, "undefined", ask[string](r, `typeof window.pwned`))
	assert.Equal(t, 1, ask[int](r, `document.scripts.length`))
	assert.Zero(t, ask[int](r, `document.querySelectorAll("img, iframe, object, embed, [onload], [onerror], [ontoggle]").length`))
	r.quiet()
}

// TestPolicyStopsWhatEscapingMissed plants a script in the open page: even then
// nothing runs and nothing is sent.
func TestPolicyStopsWhatEscapingMissed(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	ask[any](r, `{
		const s = document.createElement("script"); s.textContent = "window.pwned = 1"; document.body.append(s);
		const d = document.createElement("div"); d.innerHTML = '<b onclick="window.pwned = 1">x</b>'; document.body.append(d); d.firstChild.click();
	}; null`)
	assert.Equal(t, "undefined", ask[string](r, `typeof window.pwned`))
	assert.Equal(t, "refused", ask[string](r, `fetch("https://example.org/").then(() => "sent", () => "refused")`, chromedp.EvalAwaitPromise))
}

func TestPhone(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	r.phone()
	assert.LessOrEqual(t, ask[int](r, `document.documentElement.scrollWidth`), phone, "nothing sticks out")
	small := ask[[]string](r, `[...document.querySelectorAll("details[open] svg text")].filter(e => {
		const svg = e.ownerSVGElement;
		return parseFloat(getComputedStyle(e).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width < 9;
	}).map(e => e.textContent)`)
	assert.Empty(t, small, "letters in pictures stay readable")
	r.screenshot("phone")
	r.quiet()
}

func TestDark(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	brightness := `getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((a, b) => a + b)`
	light := ask[int](r, brightness)
	r.prefer("dark")
	assert.Less(t, ask[int](r, brightness), light/4)
	r.screenshot("dark")
	r.quiet()
}

// TestContrast computes the contrast of every text against what is behind it.
func TestContrast(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			r := open(t, sample.New(1724, 1), desk, deskHeight)
			r.prefer(scheme)
			assert.Empty(t, ask[[]string](r, contrast), "WCAG 2.2 asks for 4.5 to 1")
		})
	}
}

func TestPaperShowsEverything(t *testing.T) {
	r := open(t, sample.New(1724, 1), desk, deskHeight)
	pdf, err := chromedp.Run(r.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(pdf), "%PDF-"))
	assert.Greater(t, strings.Count(string(pdf), "/Type /Page\n"), 6, "folded cards are printed too")
	assert.False(t, ask[bool](r, `document.getElementById("p2").open`), "and folded again afterwards")
	r.quiet()
}

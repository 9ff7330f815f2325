// Package html renders a run as one page: no network, light and dark, readable
// on a phone and on paper, and the same bytes for the same record.
//
// The page is for a release board: one sentence, the promises with their
// numbers, a picture for each, and what would have to be run to see it again.
// Colour is never the only sign of anything.
//
// Everything that a cluster could have written (names of pods, headers, bodies)
// reaches the page through html/template's contextual escaping or through
// package draw; the page's own script and style are the only ones that its
// content security policy lets run, by hash.
package html

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
)

//go:embed page
var files embed.FS

// Render walks the record once and writes the page. dir is the run directory as
// a reader would type it; empty is artifacts/<run>. A record that broke off is
// rendered as far as it goes, and the page says so.
func Render(ctx context.Context, w io.Writer, source record.Source, dir string) error {
	run := source.Run()
	d, err := digest.Read(ctx, source)
	if err != nil {
		return fmt.Errorf("render page of run %s: %w", run.ID, err)
	}
	content, err := newPage(run, d, dir)
	if err != nil {
		return fmt.Errorf("render page of run %s: %w", run.ID, err)
	}
	t, err := template.ParseFS(files, "page/*.gohtml")
	if err != nil {
		return fmt.Errorf("parse page: %w", err)
	}
	if err := t.ExecuteTemplate(w, "page.gohtml", content); err != nil {
		return fmt.Errorf("render page of run %s: %w", run.ID, err)
	}
	return nil
}

// asset reads an embedded file with the hash by which the policy allows it.
func asset(name string) (text, hash string, err error) {
	content, err := files.ReadFile("page/" + name)
	if err != nil {
		return "", "", fmt.Errorf("read %s: %w", name, err)
	}
	sum := sha256.Sum256(content)
	return string(content), "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), nil
}

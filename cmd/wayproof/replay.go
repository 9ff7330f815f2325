package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports"
)

// writeReports renders every report of a recorded run into its folder.
func writeReports(ctx context.Context, dir string) error {
	reader, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("read back %s: %w", filepath.Base(dir), err)
	}
	return reports.Write(ctx, dir, reader)
}

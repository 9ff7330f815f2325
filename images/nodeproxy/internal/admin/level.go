package admin

import (
	"fmt"
	"log/slog"
	"strings"
)

// ParseLevel reads the chart's logLevel, which is in ztunnel's language: a
// level, possibly followed by exceptions for its modules, which do not exist
// here.
func ParseLevel(text string) (slog.Level, error) {
	for directive := range strings.SplitSeq(text, ",") {
		if strings.Contains(directive, "=") {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(directive)) {
		case "trace", "debug":
			return slog.LevelDebug, nil
		case "info":
			return slog.LevelInfo, nil
		case "warn", "warning":
			return slog.LevelWarn, nil
		case "error", "off":
			return slog.LevelError, nil
		}
	}
	return slog.LevelInfo, fmt.Errorf("log level %q is not known", text)
}

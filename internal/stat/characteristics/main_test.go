package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheCommittedTableIsWhatTheProgramPrints(t *testing.T) {
	var out strings.Builder
	require.NoError(t, render(&out))
	committed, err := os.ReadFile("../../../docs/operating-characteristics.md")
	require.NoError(t, err)
	assert.Equal(t, string(committed), out.String(), "make it again: go run ./internal/stat/characteristics > docs/operating-characteristics.md")
}

package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoSuiteIsCutByGinkgosHour(t *testing.T) {
	suite, _ := specConfiguration(math.MaxUint64)
	assert.Zero(t, suite.Timeout)
	assert.EqualValues(t, math.MaxInt64, suite.RandomSeed)
}

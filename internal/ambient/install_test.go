package ambient

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestARefusalOfDefinitionsSaysWhatToDo(t *testing.T) {
	refused := errors.New("ValidatingAdmissionPolicy 'safe-upgrades.gateway.networking.k8s.io' denied request")
	err := withRemedy(refused)
	assert.ErrorIs(t, err, refused)
	assert.ErrorContains(t, err, "wayproof down")
	other := errors.New("connection refused")
	assert.Equal(t, other, withRemedy(other))
}

package kube

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAwaitLooksAtOnce(t *testing.T) {
	looks := 0
	err := Await(t.Context(), Wait{What: "x", Within: time.Minute, Every: time.Hour}, func(context.Context) (bool, string, error) {
		looks++
		return true, "", nil
	})
	require.NoError(t, err)
	assert.Equal(t, 1, looks)
}

func TestATimeoutHasTheLastStateAndTheLastError(t *testing.T) {
	looks := 0
	err := Await(t.Context(), Wait{What: "gateway a/b", Within: 50 * time.Millisecond, Every: time.Millisecond},
		func(context.Context) (bool, string, error) {
			looks++
			if looks == 1 {
				return false, "Programmed=False (Pending)", nil
			}
			return false, "", errors.New("connection refused")
		})
	var timeout *Timeout
	require.ErrorAs(t, err, &timeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "wait for gateway a/b: not within")
	assert.ErrorContains(t, err, "last seen: Programmed=False (Pending)")
	assert.ErrorContains(t, err, "last error: connection refused")
}

func TestAProbeThatTheDeadlineCutsShortKeepsTheErrorBefore(t *testing.T) {
	looks := 0
	err := Await(t.Context(), Wait{What: "x", Within: 30 * time.Millisecond, Every: time.Millisecond},
		func(ctx context.Context) (bool, string, error) {
			looks++
			if looks == 1 {
				return false, "", errors.New("the real one")
			}
			<-ctx.Done()
			return false, "", ctx.Err()
		})
	assert.ErrorContains(t, err, "last error: the real one")
}

func TestACancelledWaitSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Await(ctx, Wait{What: "x", Within: time.Minute}, func(context.Context) (bool, string, error) {
		cancel()
		return false, "half way", nil
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "given up")
}

func TestAFatalErrorEndsTheWait(t *testing.T) {
	hopeless := errors.New("refused")
	err := Await(t.Context(), Wait{What: "x", Within: time.Minute}, func(context.Context) (bool, string, error) {
		return false, "", Fatal(hopeless)
	})
	require.ErrorIs(t, err, hopeless)
	assert.EqualError(t, err, "wait for x: refused")
}

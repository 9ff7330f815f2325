package kube

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// EvictionAnswer is what the Eviction API said: its status code and its words.
// Where it said nothing, because it was not reached, answered is false.
func EvictionAnswer(err error) (code int, text string, answered bool) {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return http.StatusCreated, "accepted", true
	case errors.As(err, &status):
		return int(status.Status().Code), status.Status().Message, true
	}
	return 0, "", false
}

// Package spec speaks as upstream's suite does: play's tests run it.
package spec

import (
	"os"
	"testing"
)

const answer = "2026-11-26T12:00:00Z: Response expectation failed for request: [client http://echo/v2]  not ready yet: expected pod name to start with echo-v2, got echo-v1-7 (after 1.5s)"

func TestProfile(t *testing.T) {
	if os.Getenv("SPEC") == "dies" {
		os.Exit(3)
	}
	if os.Getenv("SPEC") == "refuses" {
		t.Fatal("the installed CRDs version is different from the suite version")
	}
	t.Run("MeshBasic", func(t *testing.T) {
		t.Run("0 request", func(t *testing.T) { t.Log(answer) }) // right in the end
	})
	t.Run("MeshHTTPRouteMatching", func(t *testing.T) {
		for _, name := range []string{"0 request to '/'", "1 request to '/v2'", "2 request to '/v2/'"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if name[0] != '0' {
					t.Log(answer)
					t.Fatal("timeout while waiting after 30 attempts")
				}
			})
		}
	})
	t.Run("MeshHTTPRouteWeight", func(t *testing.T) {
		t.Run("Requests should have a distribution that matches the weight", func(t *testing.T) {
			t.Logf("Traffic distribution test failed (10/10): %s", `backend "echo-v1" weighted traffic of 0.5 not within tolerance 0.7 (+/-0.05)`)
			t.Fatal("Weighted distribution tests failed")
		})
	})
	t.Run("MeshPorts", func(t *testing.T) {
		t.Run("No port set", func(t *testing.T) {
			t.Log("2026-11-26T12:00:00Z: Request [client http://echo-v2] failed, not ready yet: unable to upgrade connection (after 1s)")
			t.Fatal("timeout while waiting after 30 attempts")
		})
	})
	t.Run("MeshHTTPRouteRewritePath", func(t *testing.T) {
		t.Run("0 request", func(t *testing.T) {
			t.Log("Response expectation failed for request: [client http://echo/]  not ready yet: invalid status code '': strconv.Atoi: parsing (after 1s)")
			t.Logf("Traffic distribution test failed (1/10): %s", "error while sending batch request: failed batch mesh request: batch request failed: container not found")
			t.Fatal("timeout while waiting after 30 attempts")
		})
	})
	t.Run("MeshFrontend", func(t *testing.T) { t.Skip("not supported") })
}

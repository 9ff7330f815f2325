.DEFAULT_GOAL := help
SHELL := /bin/bash
WAYPROOF := bin/wayproof
# Every module is tested and linted.
MODULES := . images/envoy images/nodeproxy reports/html/browser reports/conformance/upstream suites/upstream
# upstream holds other people's programs and small ones of ours; it is compiled
# as its images are, so that the work is done once: static, hence without the
# race detector, which needs cgo and would compile Kubernetes another time.
UPSTREAM := cd images/upstream && CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
# These hold no Go file, only a go.mod whose tools are compiled: that they can be
# found by it is all there is to test.
TOOLS := images/containerd tools
LINT := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint
# The knobs: variables of the same names reach the program.
export CLUSTER ISTIO IMAGES KUBECONFIG KEEP FOCUS LABELS SEED DURATION LONG

help: ## show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: help
$(WAYPROOF): FORCE
	@go build -trimpath -o $@ ./cmd/wayproof
.PHONY: FORCE

test: ## run every module's tests, with the race detector where it can be; no cluster is touched
	@set -e; for module in $(MODULES); do \
	  echo "== test $$module"; (cd $$module && go test -race ./...); \
	done
	@echo "== test images/upstream"; $(UPSTREAM) go test ./...
	@set -e; for module in $(TOOLS); do \
	  echo "== test $$module"; (cd $$module && go list -mod=readonly tool >/dev/null); \
	done

BROWSERS := chromium chromium-browser google-chrome headless-shell
browser: ## install Chromium for the tests of the pages, where there is none (Debian or Ubuntu, as root)
	@if [[ -n "$$CHROMIUM" ]] || command -v $(BROWSERS); then exit 0; fi; \
	if [[ ! -e /etc/debian_version || $$(id -u) != 0 ]]; then \
	  echo "no Chromium, and this is no Debian or Ubuntu used as root: install it, or set CHROMIUM to its path" >&2; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && command -v $(BROWSERS)

lint: ## lint every module that holds Go files
	@set -e; for module in $(MODULES); do \
	  echo "== lint $$module"; (cd $$module && $(LINT) run --config $(CURDIR)/.golangci.yaml ./...); \
	done
	@echo "== lint images/upstream"; $(UPSTREAM) $(LINT) run --config $(CURDIR)/.golangci.yaml ./...

e2e: $(WAYPROOF) ## prove every task on a cluster of its own (FOCUS= LABELS=quick SEED= KEEP=1)
	@$(WAYPROOF) run --down

chaos: $(WAYPROOF) ## break things under load and judge it (FOCUS= SEED= DURATION=10m for a random schedule, LONG=1)
ifneq ($(filter-out 0 false no,$(LONG)),)
	@code=0; for part in "chaos" $(if $(FOCUS),,"chaos matrix --cells 0"); do \
	  ended=0; $(WAYPROOF) $$part || ended=$$?; \
	  case $$ended:$$code in 0:*|*:1|2:3) ;; *) code=$$ended ;; esac; \
	done; exit $$code
else
	@$(WAYPROOF) chaos
endif

prove: $(WAYPROOF) ## make defects in the mesh, one by one, and see that the right promises notice (FOCUS= SAMPLE=5m SEED=)
	@$(WAYPROOF) prove $(if $(SAMPLE),--sample $(SAMPLE))

selftest: ## the specs prove themselves: compiled once, run against mutants on the cluster of make up
	@go test -tags cluster -count=1 -timeout 40m -run TheSpecsFailWhereAMutantIs ./suites/traffic

compare: $(WAYPROOF) ## the same defects, asked of Gateway API's own mesh conformance suite: which does it let pass (FOCUS=)
	@$(WAYPROOF) compare

soak: $(WAYPROOF) ## 200 verdicts on a mesh without defect: how many are false alarms
	@$(WAYPROOF) soak

nodeproxy: $(WAYPROOF) ## judge the node proxy, ztunnel or the stand-in (FOCUS= IMAGES=build,archive:DIR for ztunnel's own)
	@$(WAYPROOF) nodeproxy

up: $(WAYPROOF) ## bring up kind with Istio ambient (CLUSTER= IMAGES= ISTIO= KUBECONFIG=)
	@$(WAYPROOF) up

down: $(WAYPROOF) ## remove the cluster and everything that came with it
	@$(WAYPROOF) down

images: $(WAYPROOF) ## make every image of a cluster from package registries
	@$(WAYPROOF) images build

RUN ?= artifacts/latest
report: $(WAYPROOF) ## render the reports of a recorded run anew (RUN=, newest by default)
	@$(WAYPROOF) report $(RUN)

replay: $(WAYPROOF) ## judge a recorded run again, without a cluster (RUN=)
	@$(WAYPROOF) replay $(RUN)

scheduled: $(WAYPROOF) ## play the CronJob under deploy/ once, in the cluster (ARGS="--labels quick")
	@$(WAYPROOF) scheduled -- $(ARGS)

clean: ## remove what builds and runs left in this folder (caches and clusters stay)
	@rm -rf bin artifacts

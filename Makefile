.DEFAULT_GOAL := help
SHELL := /bin/bash
MODULES := $(patsubst %/go.mod,%,$(wildcard go.mod images/*/go.mod tools/go.mod reports/html/browser/go.mod))
WAYPROOF := bin/wayproof

help: ## show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: help
$(WAYPROOF): FORCE
	@go build -trimpath -o $@ ./cmd/wayproof
.PHONY: FORCE

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

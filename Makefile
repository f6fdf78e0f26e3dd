# Ringmill. `make` alone lists the targets.
SHELL := /bin/sh
GO    ?= go
BENCH ?= .
COUNT ?= 10
TOOL  := $(GO) tool -modfile=.ci/tools.mod
GOBIN := bin

.DEFAULT_GOAL := help
.PHONY: help build run test check race stress fuzz model bench bench-compare bench-peers results lint fmt

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/ringmill
	$(GO) build -o $(GOBIN)/ringmill ./cmd/ringmill

run: build ## build, then execute a real workflow and show the result
	$(GOBIN)/ringmill run cmd/ringmill/examples/textstats.yaml

test: ## run all tests
	$(GO) test ./...

race: ## run all tests under the race detector
	$(GO) test -race ./...

check: fmt-check lint test ## gofmt, vet, staticcheck, tests, short race tests: before every commit
	$(GO) test -race -short ./...

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }

lint: ## go vet and staticcheck
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

STRESS_FOR ?= 10m
stress: ## long stress tests under the race detector (STRESS_FOR=10m)
	RINGMILL_STRESS=$(STRESS_FOR) $(GO) test -race -timeout 0 -count 1 -run 'Stress|Hunt|Soak' ./mailbox/... ./scheduler/... ./runtime/...

bench: ## run the benchmarks (BENCH=regexp COUNT=10)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./bench/...

# Ringmill. `make` alone lists the targets.
SHELL := /bin/sh
GO    ?= go
BENCH ?= .
COUNT ?= 10
TOOL  := $(GO) tool -modfile=.ci/tools.mod
GOBIN := bin

.DEFAULT_GOAL := help
.PHONY: help build run test check race stress fuzz model bench bench-compare bench-peers results bench-smoke lint fmt fmt-check tidy-check

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/ringmill
	$(GO) build -o $(GOBIN)/ringmill ./cmd/ringmill

run: build ## build, then execute a real workflow and show the result
	$(GOBIN)/ringmill run cmd/ringmill/examples/textstats.yaml

test: ## run all tests
	$(GO) test ./...

bench-smoke: ## run every benchmark once, so that none rots
	$(GO) test -run '^$$' -bench . -benchtime 1x ./bench/... >/dev/null
	cd bench/peers && $(GO) vet ./... && $(GO) test -run '^$$' -bench . -benchtime 1x ./... >/dev/null

race: ## run all tests under the race detector
	$(GO) test -race ./...

check: fmt-check tidy-check lint test ## gofmt, vet, staticcheck, tests, short race tests: before every commit
	$(GO) test -race -short ./...

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }

tidy-check:
	$(GO) mod tidy -diff

lint: ## go vet and staticcheck
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

STRESS_FOR ?= 10m
stress: ## long stress tests and soaks under the race detector (STRESS_FOR=10m a package)
	RINGMILL_STRESS=$(STRESS_FOR) $(GO) test -race -timeout 0 -count 1 ./mailbox/... ./scheduler/... ./runtime/actor/... ./runtime

FUZZ_FOR ?= 1m
fuzz: ## every fuzz target for a while (FUZZ_FOR=1m each)
	$(GO) test -run '^$$' -fuzz '^FuzzMPSC$$' -fuzztime $(FUZZ_FOR) ./mailbox
	$(GO) test -run '^$$' -fuzz '^FuzzParseYAML$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow
	$(GO) test -run '^$$' -fuzz '^FuzzParseWfFormat$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow
	$(GO) test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow/internal/document
	$(GO) test -run '^$$' -fuzz '^FuzzExpression$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow/internal/expression

model: ## check the mailbox's parking protocol in every interleaving (needs spin and a C compiler)
	$(GO) run ./mailbox/model

bench: ## run the benchmarks (BENCH=regexp COUNT=10)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./bench/...

bench-peers: ## run the benchmarks beside other libraries, a module of their own
	cd bench/peers && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

BASE ?= HEAD
bench-compare: ## compare the working tree with a revision, counts interleaved (BASE=rev BENCH=regexp COUNT=10)
	@tmp=$$(mktemp -d) && trap 'git worktree remove --force '$$tmp'/base; rm -rf '$$tmp EXIT && \
	git worktree add --quiet --detach $$tmp/base $(BASE) && \
	(cd $$tmp/base && $(GO) test -c -o $$tmp/base.test ./bench) && $(GO) test -c -o $$tmp/tree.test ./bench && \
	for i in $$(seq $(COUNT)); do for side in base tree; do \
		(cd bench && $$tmp/$$side.test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.benchtime 100ms) >>$$tmp/$$side.txt || exit 1; \
	done; done && \
	$(TOOL) benchstat base=$$tmp/base.txt tree=$$tmp/tree.txt

results: ## measure again and write bench/RESULTS.md (SUITE=names, all if empty; COUNT=n BENCHTIME=100ms, else the suite's own)
	$(GO) run ./bench/results -suite '$(SUITE)' $(if $(filter-out file,$(origin COUNT)),-count $(COUNT)) $(if $(BENCHTIME),-benchtime $(BENCHTIME))

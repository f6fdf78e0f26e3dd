# Ringmill. `make` alone lists the targets.
SHELL := /bin/sh
GO    ?= go
NPM   ?= npm
BENCH ?= .
COUNT ?= 10
TOOL  := $(GO) tool -modfile=.ci/tools.mod
GOBIN := bin

.DEFAULT_GOAL := help
.PHONY: help js-engine build run test check race stress proof fuzz model bench bench-compare bench-peers results bench-smoke lint fmt fmt-check tidy-check

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The JavaScript engine is fetched, checked and rewritten, never committed. Its
# build tag is set where it is there; everything else builds without.
JS       := runtime/js
JS_ASSET := $(JS)/node_modules/quickjs-wasi/quickjs.wasm
JS_TAG    = $$(test -s $(JS)/engine.wasm && echo -tags=jsengine)
JS_SUM   := $(shell sed -n 's/.*RewrittenSum = "\([0-9a-f]*\)".*/\1/p' $(JS)/module.go)

js-engine: ## fetch and prepare the JavaScript engine (needs npm; without it JavaScript is left out)
	@if test -s $(JS)/engine.wasm && test "$$(sha256sum < $(JS)/engine.wasm | cut -c 1-64)" = $(JS_SUM); then :; \
	elif rm -f $(JS)/engine.wasm && { test -s $(JS_ASSET) || { command -v $(NPM) >/dev/null && (cd $(JS) && $(NPM) ci --silent); }; } && \
		$(GO) run ./$(JS)/internal/rewrite $(JS_ASSET) $(JS)/engine.wasm; then \
		echo "the JavaScript engine is ready: $(JS)/engine.wasm"; \
	else \
		echo "built without JavaScript: $(NPM) is missing or could not fetch quickjs-wasi; tasks of kind js and ts will say what to do" >&2; \
	fi

build: js-engine ## build bin/ringmill
	$(GO) build $(JS_TAG) -o $(GOBIN)/ringmill ./cmd/ringmill

run: build ## build, then execute a real workflow and show the result
	$(GOBIN)/ringmill run cmd/ringmill/examples/textstats.yaml
	@if test -s $(JS)/engine.wasm; then $(GOBIN)/ringmill run cmd/ringmill/examples/wordscript.yaml; \
	else echo "left out: cmd/ringmill/examples/wordscript.yaml, whose tasks are TypeScript: see above" >&2; fi

test: js-engine ## run all tests
	$(GO) test $(JS_TAG) ./...

bench-smoke: js-engine ## run every benchmark once, so that none rots
	$(GO) test $(JS_TAG) -run '^$$' -bench . -benchtime 1x ./bench/... >/dev/null
	cd bench/peers && $(GO) vet ./... && $(GO) test -run '^$$' -bench . -benchtime 1x ./... >/dev/null

race: js-engine ## run all tests under the race detector
	$(GO) test $(JS_TAG) -race ./...

check: fmt-check tidy-check lint test ## gofmt, vet, staticcheck, tests, short race tests: before every commit
	$(GO) test $(JS_TAG) -race -short ./...

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
stress: js-engine ## long stress tests and soaks under the race detector (STRESS_FOR=10m a package)
	RINGMILL_STRESS=$(STRESS_FOR) $(GO) test $(JS_TAG) -race -timeout 0 -count 1 ./mailbox/... ./scheduler/... ./runtime/actor/... ./runtime ./runtime/js

proof: ## prove the load generator's figures in real time: 8 to 12 minutes, on a machine that does nothing else
	@out=$$(mktemp) && trap 'rm -f '$$out EXIT && \
	{ RINGMILL_PROOF=1 $(GO) test -p 1 -timeout 20m -count 1 -v -run '^TestProof' ./loadgen ./cmd/ringmill || echo "FAILED" >>$$out; } | tee -a $$out && \
	echo && echo "Targets:" && sed -n 's/^.*target: //p' $$out && ! grep -q '^FAILED' $$out

FUZZ_FOR ?= 1m
fuzz: js-engine ## every fuzz target for a while (FUZZ_FOR=1m each)
	$(GO) test -run '^$$' -fuzz '^FuzzMPSC$$' -fuzztime $(FUZZ_FOR) ./mailbox
	$(GO) test -run '^$$' -fuzz '^FuzzParseYAML$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow
	$(GO) test -run '^$$' -fuzz '^FuzzParseWfFormat$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow
	$(GO) test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow/internal/document
	$(GO) test $(JS_TAG) -run '^$$' -fuzz '^FuzzSource$$' -fuzztime $(FUZZ_FOR) ./runtime/js
	$(GO) test $(JS_TAG) -run '^$$' -fuzz '^FuzzInput$$' -fuzztime $(FUZZ_FOR) ./runtime/js
	$(GO) test -run '^$$' -fuzz '^FuzzRewrite$$' -fuzztime $(FUZZ_FOR) ./runtime/js/internal/fuel
	$(GO) test -run '^$$' -fuzz '^FuzzExpression$$' -fuzztime $(FUZZ_FOR) ./runtime/workflow/internal/expression

model: ## check the mailbox's parking protocol in every interleaving (needs spin and a C compiler)
	$(GO) run ./mailbox/model

bench: js-engine ## run the benchmarks (BENCH=regexp COUNT=10)
	$(GO) test $(JS_TAG) -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./bench/...

bench-peers: js-engine ## run the benchmarks beside other libraries, a module of their own
	cd bench/peers && $(GO) test $$(test -s ../../$(JS)/engine.wasm && echo -tags=jsengine) -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

BASE ?= HEAD
bench-compare: ## compare the working tree with a revision, counts interleaved (BASE=rev BENCH=regexp COUNT=10)
	@tmp=$$(mktemp -d) && trap 'git worktree remove --force '$$tmp'/base; rm -rf '$$tmp EXIT && \
	git worktree add --quiet --detach $$tmp/base $(BASE) && \
	(cd $$tmp/base && $(GO) test -c -o $$tmp/base.test ./bench) && $(GO) test -c -o $$tmp/tree.test ./bench && \
	for i in $$(seq $(COUNT)); do for side in base tree; do \
		(cd bench && $$tmp/$$side.test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.benchtime 100ms) >>$$tmp/$$side.txt || exit 1; \
	done; done && \
	$(TOOL) benchstat base=$$tmp/base.txt tree=$$tmp/tree.txt

results: js-engine ## measure again and write bench/RESULTS.md (SUITE=names, all if empty; COUNT=n BENCHTIME=100ms, else the suite's own)
	$(GO) run ./bench/results -suite '$(SUITE)' $(if $(filter-out file,$(origin COUNT)),-count $(COUNT)) $(if $(BENCHTIME),-benchtime $(BENCHTIME))

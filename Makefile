# Every target with a `##` is listed by `make help`. What a target does in detail stands in internal/housekeeping.

SHELL := /bin/sh
GO ?= go
HOUSE := $(GO) run ./internal/housekeeping

.DEFAULT_GOAL := help
.PHONY: help build wasm screenshots demo dev vault-dev test check race integration vectors attack fuzz bench faults speed lint fmt generate packages fonts faces docs-pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: wasm ## build yinxin and yinxind into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...

wasm: ## compile the verifier for browsers, which make build puts into yinxind
	@$(HOUSE) wasm

demo: ## run one document's whole path in one process; leaves ./yinxin-demo
	$(GO) run ./cmd/yinxin demo

dev: ## start a hub on loopback with demo offices (not for production)
	$(GO) run ./cmd/yinxind dev

vault-dev: ## start a Vault on loopback with the gm engine mounted (not for production)
	@$(HOUSE) vault-dev

test: ## everything that CI runs: check, tests with -race, fuzz smoke, cross-builds, speed
	@$(HOUSE) test

check: ## format, modules, vet, golangci-lint, docs against code
	@$(HOUSE) check

race: ## all tests with the race detector, shuffled
	@$(HOUSE) race

integration: ## tests through whole commands and servers
	@$(HOUSE) integration

vectors: ## tests against outside data in testvectors/
	@$(HOUSE) vectors

attack: ## hold the verifier against the corpus of attacks and print a table
	$(GO) run ./internal/attack/attackrun

fuzz: ## fuzz every target for FUZZTIME (default 30s)
	@$(HOUSE) fuzz

bench: ## run the benchmarks, print a table, write bench.json (BENCHTIME, default 1s)
	@$(HOUSE) bench

faults: ## kill hubs and databases under load and audit what is left; each experiment with its mutant
	@$(HOUSE) faults

speed: ## measure the demo, the start of yinxind dev and a cold verify
	@$(HOUSE) speed

lint: ## golangci-lint alone
	@$(HOUSE) lint

fmt: ## rewrite the Go files with gofumpt
	@$(HOUSE) fmt

generate: ## run every go:generate directive
	$(GO) generate ./...

packages: ## build Debian packages for amd64, arm64 and loong64 with bills of materials into dist/ (VERSION, RELEASE_KEY, RELEASE_CERT)
	@$(HOUSE) packages

FONTS ?= fonts
fonts: ## put FandolFang (仿宋, from Debian) into FONTS (default ./fonts), to be used with --fonts
	document/fonts/packaging/fandol.sh $(FONTS)

faces: ## make the embedded font subsets again
	$(GO) generate ./document/fonts

screenshots: wasm ## take the pictures of the console for docs/pictures and all pages for .cache/screenshots (needs chromium)
	@$(HOUSE) screenshots

docs-pictures: ## draw the pages shown in docs/pictures
	$(GO) run ./internal/docspictures docs/pictures

clean: ## remove what building, testing and trying out left in this folder
	rm -rf bin dist .cache bench.json yinxin-demo yinxin-dev

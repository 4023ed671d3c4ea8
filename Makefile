# Every target installs what it needs, unless it is installed already.

SHELL := /bin/bash
ENV ?= dev
FAULT ?=

# The virtual environment comes first, so that jsii and the CDK CLI ("python3 app.py") use its Python and Node.js.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# jsii and npm have their caches in the home directory. If it is not writable, use folders in .venv.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export JSII_RUNTIME_PACKAGE_CACHE_ROOT ?= $(CURDIR)/.venv/.jsii
export npm_config_cache ?= $(CURDIR)/.venv/.npm
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test waiting computing lint unit compliance bench emulator synth requirements clean engine network browser client

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The engine comes first: if it cannot be installed, fail before the downloads, which take a minute.
demo: engine setup ## Deploy both stores to a local cloud, show their smoke tests, destroy (FAULT=engine-stopped: watch it fail)
	python -m cdk_redis_local demo $(addprefix --fault ,$(FAULT))

# Two sessions at a time use both processors of a small machine: tests that wait for engines most of the time, and tests
# that compute. The second has a lower priority, so that it does not delay what the first measures.
# Tests that measure the length of an outage or response times run alone.
LOWEST := tests/packaging/test_lowest_versions.py
COMPUTING := tests/compliance tests/packaging tests/snapshot tests/unit tests/test_layout.py
WAITING := tests/runtime tests/local tests/e2e $(LOWEST)
TIMED := tests/runtime/client/test_small_function.py tests/runtime/smoke_test/test_drill.py tests/runtime/smoke_test/test_no_false_alarm.py tests/e2e/test_drill.py
test: engine network browser client lint ## Run every check and every test
	$(MAKE) --no-print-directory --keep-going --jobs 2 waiting computing
	pytest $(TIMED)

waiting:
	set -o pipefail; pytest -n 3 --dist loadfile $(TIMED:%=--ignore=%) $(WAITING) 2>&1 | sed -u 's/^/waiting   | /'

computing:
	set -o pipefail; nice -n 10 pytest -n 2 --dist loadfile --ignore=$(LOWEST) $(COMPUTING) 2>&1 | sed -u 's/^/computing | /'

unit: setup ## Run the unit and snapshot tests only (under a minute)
	pytest -n 2 --dist loadfile tests/unit tests/snapshot

compliance: setup ## Scan production and the examples with cdk-nag, checkov, cfn-lint and the rules of the CDK
	pytest -n 2 --dist loadfile tests/compliance/test_scanners.py tests/compliance/test_cfn_lint.py tests/compliance/test_validation.py tests/compliance/test_examples.py

bench: engine setup ## Measure what the client costs, and the smoke test: its seconds, and 1,000 runs under load
	python benchmarks/client_cost.py
	python benchmarks/smoke_seconds.py
	python benchmarks/no_false_alarm.py

emulator: engine setup ## Test the local cloud with another ministack (VERSION=1.5.30; default: the newest)
	@.ci/emulator $(VERSION)

lint: setup ## Check format, style, types and import layers
	ruff format --check .
	ruff check .
	pyright
	lint-imports --no-cache

synth: setup ## Write the CloudFormation templates to cdk.out (ENV=prod for another environment)
	cdk synth --all --quiet -c env=$(ENV)

setup: .venv/.packages node_modules/.made ## Set up .venv and node_modules only

.venv/.made:
	@.ci/setup venv

.venv/.packages: requirements-dev.txt pyproject.toml constructs/pyproject.toml .venv/.made
	@.ci/setup packages

node_modules/.made: package.json package-lock.json .venv/.packages
	@.ci/setup node

engine:
	@.ci/setup engine

network:
	@.ci/setup network

browser:
	@.ci/setup browser

client: setup
	@.ci/setup client

requirements: setup ## Pin the newest versions that pyproject.toml allows, in requirements*.txt
	@.ci/requirements

clean: ## Remove everything that the other targets installed or built
	rm -rf .venv node_modules cdk.out dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

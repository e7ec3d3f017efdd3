# `make` alone lists what there is to do here.

.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
HOST ?= 127.0.0.1
DATA ?= .run
INSTANCES ?= 1
BROKERS ?= 1
PARTITIONS ?= 4
SEEDS ?= 1000
FIRST ?= 1
# Compiled modules are kept, whatever the shell says: without them each start compiles all of them anew.
export PYTHONDONTWRITEBYTECODE :=
# More words for the command behind a target: make unit ARGS="-k phrase -x", make run ARGS="--login-port 8101"
ARGS ?=

# `mutants` is a folder as well.
.PHONY: help run demo chaos simulate bench setup test unit component integration e2e mutants lint format lock asyncapi imports \
	vulnerabilities clean reset

help: ## list these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

run: setup ## start Kafka and the services here, until Ctrl-C (HOST=0.0.0.0 for the network, DATA=DIR, INSTANCES=2, BROKERS=3, PARTITIONS=7)
	@exec $(BIN)/python -m deploy.local.run --host $(HOST) --data $(DATA) --instances $(INSTANCES) --brokers $(BROKERS) \
	  --partitions $(PARTITIONS) $(ARGS)

demo: setup ## show the whole flow in the terminal, on a stack of its own
	@exec $(BIN)/python -m lab.demo

chaos: setup-tests ## break everything while people sign in, and check that nothing was lost (10 minutes; ARGS="--seed 2 --help")
	@exec $(BIN)/python -m lab.chaos $(ARGS)

simulate: setup ## run owners and copies on a broker in memory, in virtual time, with faults (SEEDS=1000 FIRST=1; ARGS="--help")
	@nice -n 10 $(BIN)/python -m lab.simulation --seeds $(SEEDS) --first $(FIRST) $(ARGS)

bench: setup ## measure logins, phones and starts beside their floors (COMPARE=REV in turns with a revision; ARGS="--help")
	@exec $(BIN)/python -m lab.bench $(if $(COMPARE),--compare $(COMPARE)) $(ARGS)

setup: ## bring what running needs: system packages, Python packages, Kafka
	@deploy/bootstrap

setup-tests:
	@deploy/bootstrap --tests

test: setup-tests lint ## bring what testing needs, lint, look for vulnerabilities, run all tests (three at a time)
	@$(BIN)/python -m deploy.local.vulnerabilities
	$(BIN)/pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

unit: setup-tests ## run the tests of the rules alone (ARGS="-k phrase" picks some, here and below)
	$(BIN)/pytest tests/unit tests/model $(ARGS)

component: setup-tests ## run the tests of single parts
	$(BIN)/pytest tests/component $(ARGS)

integration: setup-tests ## run the tests on a real Kafka
	$(BIN)/pytest tests/integration $(ARGS)

e2e: setup-tests ## run the tests in a real browser
	$(BIN)/pytest tests/e2e $(ARGS)

mutants: setup-tests ## break the rules in 600 small ways, and see whether tests notice (20 minutes; ARGS="--help")
	@nice -n 10 $(BIN)/python -m tests.mutants $(ARGS)

lint: setup-tests ## check style, format, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-tests ## rewrite the code in the project's format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# With the oldest Python that is supported, so that what only it needs is in the lock files.
PIP_COMPILE := $(abspath $(BIN))/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

lock: setup-tests ## renew the pinned versions in requirements/ (needs Python 3.11 in .venv)
	@$(BIN)/python -c 'import sys; sys.exit("The lock files are made with Python 3.11." if sys.version_info[:2] != (3, 11) else 0)'
	cd requirements && $(PIP_COMPILE) --output-file main.txt main.in
	cd requirements && $(PIP_COMPILE) --output-file test.txt test.in

asyncapi: setup-tests ## write asyncapi.yaml anew from the messages
	$(BIN)/python -m tests.contract.asyncapi

imports: setup-tests ## draw anew, in ARCHITECTURE.md, which package imports which
	$(BIN)/python -m tests.component.import_graph

vulnerabilities: setup-tests ## look up known vulnerabilities in the pinned Python packages
	@$(BIN)/python -m deploy.local.vulnerabilities --refresh

clean: ## remove what was installed and cached here; data and keys stay
	rm -rf .venv .run/bench .run/kafka-jars .run/logs .run/audit.json mutants .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## remove all accounts, phones, keys and records of `make run`
	rm -rf .run/kafka .run/data .run/secrets

# Each word sets up what it needs. `make test` is what CI runs.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test lint types tests wheel-check bench sweep simulate requirements clean

help:            ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 16

setup: $(READY)  ## an environment with everything pinned

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "batchpay needs Python 3.11 or newer; name it with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)   ## the main job on the samples, against a sandbox it starts
	@$(BIN)/batchpay demo

test: lint types tests wheel-check  ## all that must be green

lint: $(READY)   ## ruff: rules and form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

tests: $(READY)  ## the tests
	$(BIN)/python -m pytest

wheel-check: $(READY)  ## the built wheel with its sandbox extra, in an empty environment, runs the demo
	@PYTHON=$(PYTHON) BIN=$(BIN) ./.ci/wheel-check

sweep: $(READY)  ## the longer tests: kills by the hundred
	BATCHPAY_KILLS=400 $(BIN)/python -m pytest tests/crash

SEEDS := 20000
simulate: $(READY)  ## many seeds of the simulator on all cores (SEEDS=20000)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

bench: $(READY)  ## the figures, with peers in the same run
	$(BIN)/python -m benchmarks

requirements:    ## pin everything anew, with hashes and without addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --extra dev --output-file requirements.txt pyproject.toml requirements.in

clean:           ## remove what the other words made
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

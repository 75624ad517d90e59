# Each word sets up what it needs. `make test` is what CI runs.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# what pytest makes of the tests' assertions is kept, for the next worker and the next run
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# what the tests write depends on nothing that a disk does, where there is memory for it
ROOMY := $(shell test -w /dev/shm && test "$$(df -Pk /dev/shm | awk 'END { print $$4 }')" -gt 2000000 && echo /dev/shm)
READY := $(VENV)/.ready

# what `make faults` has
BUT := --ignore tests/faults --ignore tests/crash/test_syscalls.py

.PHONY: coverage fuzz faults mutants mutation help setup demo test lint types tests wheel-check node-check test-ui bench sweep simulate requirements clean cases matrix messages

help:            ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 16

setup: $(READY)  ## an environment with everything pinned

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "batchpay needs Python 3.11 or newer; name it with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
	@# what pip would compile on one core, and without the tests that came along
	$(BIN)/python -m compileall -q -j 0 -x '/tests?/' $(VENV)/lib
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)   ## the main job on the samples, against a sandbox it starts
	@$(BIN)/batchpay demo

test: $(READY)   ## all that must be green: lint, types, tests and wheel-check at once, each told when it ends
	@$(MAKE) --no-print-directory --jobs --output-sync=target lint types tests wheel-check

lint: $(READY)   ## ruff: rules and form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

tests: $(READY)  ## the tests
	@# in a fresh clone one process compiles them, and not each worker
	@test -d tests/__pycache__ || $(PYTEST) --collect-only $(BUT) > /dev/null || true
	PYTEST_DEBUG_TEMPROOT=$(or $(ROOMY),$${TMPDIR:-/tmp}) $(PYTEST) -n 6 --dist loadfile --no-loadscope-reorder $(BUT)

faults: $(READY)  ## every fault of network, storage, time and signals, and failing system calls: some minutes
	$(PYTEST) -rs tests/faults tests/crash/test_syscalls.py

wheel-check: $(READY)  ## the built wheel with its sandbox extra, in an empty environment, runs the demo
	@BIN=$(BIN) ./.ci/wheel-check

test-ui: $(READY)  ## what people open, in Chromium and LibreOffice, held to the rules of accessibility (says what is missing)
	BATCHPAY_UI=1 $(BIN)/python -m pytest -rs tests/ui

node-check: $(READY)  ## the gateway's own Node client against the sandbox (needs node and npm)
	BATCHPAY_NODE=1 $(BIN)/python -m pytest -rs tests/test_sandbox_omise_node.py

sweep: $(READY)  ## the longer tests: kills by the hundred, every system call failed once, every bit flipped, every run started anew
	BATCHPAY_KILLS=400 BATCHPAY_SWEEP=1 BATCHPAY_FORKS=0 $(BIN)/python -m pytest -s tests/crash tests/faults tests/readers/test_rejects.py
	BATCHPAY_SEEDS=200 BATCHPAY_PLANS=200 $(BIN)/python -m pytest tests/simulation tests/test_plan_is_run.py tests/test_archiving.py
	BATCHPAY_SWEEP=1 $(BIN)/python -m pytest -n auto $$(grep -rl "from tests.doses" --include=test_*.py tests | grep -v /faults/)

PURE := $(addprefix tests/test_,controls.py documents.py lifecycle.py listing.py mapping.py matching.py money.py pacing.py naming.py queue.py \
	reconciliation.py refunds.py repeats.py settlement.py settlement_races.py standing.py)
SEEDS ?= 20000
simulate: $(READY)  ## nights in virtual time, by dice: make simulate SEEDS=20000
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

mutants: $(READY)  ## each law broken on purpose, and the test that notices: some minutes
	$(BIN)/python -m tests.mutants

MUTANTS ?= 600
mutation: $(READY)  ## small random changes of the money modules, and the share that a test sees: make mutation MUTANTS=600
	$(BIN)/python -m tests.mutation --mutants $(MUTANTS)

FUZZ_S ?= 60
fuzz: $(READY)   ## broken files for the readers, as long as it is told: make fuzz FUZZ_S=60
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_S)

coverage: $(READY)  ## every branch of the pure money modules: below 100 % it fails
	$(BIN)/python -m coverage run --rcfile tests/coverage.toml -m pytest $(PURE)
	$(BIN)/python -m coverage report --rcfile tests/coverage.toml

cases: $(READY)  ## write what tests/cases expect anew; read the difference before you commit it
	$(BIN)/python -m tests.cases
	git diff --stat -- tests/cases

matrix: $(READY)  ## which faults, invariants and laws are covered by which test
	@$(BIN)/python -m tests.matrix

messages: $(READY)  ## docs/messages.md and po/batchpay.pot, from the catalogue of messages
	$(BIN)/python -m tests.catalogue

bench: $(READY)  ## the figures, with peers in the same run
	$(BIN)/python -m benchmarks

requirements:    ## pin everything anew, with hashes and without addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --extra dev --output-file requirements.txt pyproject.toml requirements.in

clean:           ## remove what the other words made
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

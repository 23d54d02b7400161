# Every target does all of its own set-up: a fresh clone, Python 3.11 or newer and a C compiler are
# enough. `make help` lists the targets. What has been done is remembered in stamp files, so a second
# call goes straight to its work.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(p))))
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
WORKERS ?= $(JOBS)
# Who checks a release, if not this environment: make release-check PYTHONS="python3.12 python3.13"
PYTHONS ?=
# Names of tests, options of pytest: make test ARGS="tests/core -k flip"
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
SOURCES := $(shell find pyrt -name '*.pyx' -o -name '*.pxd')
PACKAGE := $(shell find pyrt -type f -not -name '*.so' -not -name '*.c' -not -path '*/__pycache__/*')
BUILD := PYRT_JOBS=$(JOBS) $(PY) -W ignore setup.py -q

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# ---- set-up ---------------------------------------------------------------------------------------

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "pyrt needs Python 3.11 or newer; set PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The package is installed as a link to this tree, without compiling: the next stamp does that.
$(VENV)/.installed: pyproject.toml scripts/requirements.py | $(VENV)/.made
	$(PY) scripts/requirements.py > $(VENV)/requirements.txt
	$(PY) -m pip install -q -r $(VENV)/requirements.txt
	PYRT_ONLY=none $(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

build/.checked: $(SOURCES) setup.py $(VENV)/.installed
	PYRT_BUILD=checked $(BUILD) build_ext --inplace --build-temp build/temp-checked
	@touch $@

build/.release: $(PACKAGE) setup.py $(VENV)/.installed
	PYRT_BUILD=release $(BUILD) build --build-lib build/release --build-temp build/temp-release
	@touch $@

.PHONY: build
build: build/.checked ## Compile in place with every run-time check on: what tests run against

.PHONY: release
release: build/.release ## Compile as a wheel does, into build/release

# ---- daily work -----------------------------------------------------------------------------------

.PHONY: demo
demo: build/.checked ## Backtest a strategy on real bars, print its table, write its report
	$(PY) -m pyrt.cli.demo

.PHONY: test
test: build/.checked ## Run the tests
	$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

# cython-lint takes half a second a file: only what has changed since it last passed.
build/.linted: $(SOURCES) pyproject.toml | $(VENV)/.installed
	@mkdir -p build
	printf '%s\n' $(if $(filter pyproject.toml,$?),$(SOURCES),$?) | \
		PATH="$(CURDIR)/$(VENV)/bin:$$PATH" xargs -n 16 -P $(JOBS) cython-lint
	@touch $@

.PHONY: lint
lint: $(VENV)/.installed build/.linted ## Check style: ruff, cython-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

.PHONY: types
types: build/.checked ## Check types, and every stub against its compiled module
	$(PY) -m mypy
	$(PY) scripts/check_stubs.py

# vectorbt, a reference, wants a newer NumPy than other references take.
build/vectorbt/.installed: | $(VENV)/.made
	$(PYTHON) -m venv build/vectorbt
	build/vectorbt/bin/python -m pip install -q vectorbt
	@touch $@

.PHONY: bench
bench: build/.release build/vectorbt/.installed ## Measure a release build against benchmarks/budgets.toml
	PYTHONPATH=$(CURDIR)/build/release $(PY) -P benchmarks/run.py $(ARGS)

.PHONY: mutants
mutants: build/.checked ## Make 100 faults in money and risk code, or --set execution, live; tests notice 95 (ARGS)
	$(PY) -m scripts.mutate --json build/mutants.json $(ARGS)

.PHONY: goals
goals: build/.release ## Measure a live node against its goals, over loopback sockets (ARGS="--minutes 10")
	PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/release:$(CURDIR) $(PY) -m scripts.node_goals $(ARGS)

.PHONY: paper-check
paper-check: build/.checked ## Take an order through its life on a paper account, where keys are given
	$(PY) scripts/paper_check.py $(ARGS)

.PHONY: openapi-check
openapi-check: $(VENV)/.installed ## List how Alpaca's OpenAPI documents have drifted
	$(PY) scripts/openapi_check.py $(ARGS)

# ---- looking inside -------------------------------------------------------------------------------

# Cython's coverage plugin wants each C file beside its source, so these builds work on a copy.
build/traced/.built: $(PACKAGE) setup.py $(VENV)/.installed
	mkdir -p build/traced
	tar -c --exclude='*.so' --exclude='*.c' --exclude=__pycache__ pyrt setup.py pyproject.toml | \
		tar -x -C build/traced
	cd build/traced && PYRT_BUILD=debug PYRT_JOBS=$(JOBS) $(CURDIR)/$(PY) -W ignore setup.py -q \
		build_ext --inplace --build-temp temp
	@touch $@

.PHONY: debug
debug: build/traced/.built ## Compile with line tracing; annotated HTML beside each copied source
	@echo "annotated sources: build/traced/pyrt/**/*.html"

.PHONY: coverage
coverage: build/traced/.built ## Measure which lines the tests reach, compiled ones included
	git ls-files -z | grep -zv '^pyrt/' | tar -c --null -T - | tar -x -C build/traced
	cd build/traced && $(CURDIR)/$(PY) $(CURDIR)/scripts/coverage_report.py \
		-n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: profile
profile: $(VENV)/.installed $(PACKAGE) ## Draw a flame graph of a backtest into build/profile.svg
	PYRT_BUILD=profile $(BUILD) build --build-lib build/profile --build-temp build/temp-profile
	PYTHONPATH=$(CURDIR)/build/profile $(VENV)/bin/py-spy record --native --rate 500 --format flamegraph \
		--output build/profile.svg -- $(PY) -P benchmarks/profiled.py $(ARGS)

# ---- shipping -------------------------------------------------------------------------------------

.PHONY: wheel
wheel: $(VENV)/.installed ## Build a wheel and the source archive into dist, and check what they hold
	rm -rf dist
	PYRT_JOBS=$(JOBS) $(PY) -m build --no-isolation --outdir dist
	$(PY) scripts/check_archives.py dist

.PHONY: release-check
release-check: $(VENV)/.installed ## Build from the source archive in a clean environment, run the README
	rm -rf dist
	$(PY) -m build --sdist --no-isolation --outdir dist
	$(PY) scripts/release_check.py dist $(PYTHONS)

SEEDS ?= 1000
FIRST_SEED ?= 0
PLANTED ?= 250
TRACES ?= 50

.PHONY: simulate
simulate: build/.checked ## Whole nodes under faults: make simulate SEEDS=100000 FIRST_SEED=0
	$(PY) -m tests.simulation --seeds $(SEEDS) --first $(FIRST_SEED) --workers $(WORKERS) \
	    --planted $(PLANTED) --traces $(TRACES)

ROUNDS ?= 20

.PHONY: kills
kills: build/.checked ## Kill a real node fifty times a round: make kills ROUNDS=20
	PYRT_KILL_ROUNDS=$(ROUNDS) $(PY) -m pytest -n 0 tests/live/test_kills.py $(ARGS)

.PHONY: nightly
nightly: ## Everything that takes long: ten times the examples, coverage, archives, benchmarks
	PYRT_HYPOTHESIS=nightly $(MAKE) test
	$(MAKE) coverage
	for first in 0 50000 130000 400000 500000 600000 700000 800000; do \
	    $(MAKE) simulate SEEDS=20000 FIRST_SEED=$$first TRACES=200 || exit 1; done
	$(MAKE) mutants ARGS="--seed $$(git rev-parse HEAD)"
	$(MAKE) mutants ARGS="--set execution --seed $$(git rev-parse HEAD)"
	$(MAKE) mutants ARGS="--set live --seed $$(git rev-parse HEAD)"
	$(MAKE) release-check
	$(MAKE) bench

.PHONY: clean
clean: ## Remove everything that was built, the environment excepted
	rm -rf build dist pyrt.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find pyrt tests benchmarks examples -name '*.so' -delete -o -name '*.pyc' -delete
	find pyrt -name '*.c' -delete -o -name '*.html' -not -path '*/templates/*' -not -path '*/static/*' -delete

.PHONY: distclean
distclean: clean ## Remove the environment too
	rm -rf $(VENV)

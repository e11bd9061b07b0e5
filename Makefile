# `make demo` and `make test` need only Python >= 3.11 and make. `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast check static format lint types walls openapi bench bench-quick bench-studio look lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml sdk/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Aquatint needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable sdk --editable .
	touch $@

install: $(STAMP) ## make the environment in .venv from the lock file

demo: $(STAMP) ## the main job on the embedded engine; pictures in demo-output/
	$(BIN)/aquatint demo

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_FLAGS)

test-fast: $(STAMP) ## the tests that start no server
	$(BIN)/python -m pytest tests/unit $(PYTEST_FLAGS)

static: lint types walls openapi ## format, lint, types, walls, wire contract

check: static test ## everything a change must pass

format: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP) ## format and lint, nothing changed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

walls: $(STAMP) ## who may import whom (DESIGN: .importlinter)
	$(BIN)/lint-imports --no-cache

openapi: $(STAMP) ## openapi.json must be what the code says
	$(BIN)/aquatint openapi --check openapi.json

bench: $(STAMP) ## measure for 30 minutes, and write bench/RESULTS.md with its plots
	$(BIN)/python -m bench

bench-quick: $(STAMP) ## every measure once and short; prints, writes nothing
	$(BIN)/python -m bench --quick --only all

look: $(STAMP) ## paint the gallery in docs/gallery
	$(BIN)/python tools/look.py

bench-studio: $(STAMP) ## measure every style and scene, and write bench/STUDIO.md
	$(BIN)/python -m bench.studio

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --no-header --group dev --no-emit-package aquatint-client --python-version 3.11 -o requirements.lock pyproject.toml

clean: ## remove the environment and what runs left behind
	rm -rf $(VENV) demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis

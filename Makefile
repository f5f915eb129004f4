# Everything runs from a virtual environment of its own, made by the first target that needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo up test check format bench

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv and install the pinned packages into it

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python %d.%d does not work; use 3.11, 3.12 or 3.13: make PYTHON=python3.13" % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib pos_core pos_cli pipelines dagster_project webhook_api sandbox benchmarks || true
	@touch $@

demo: install ## The whole job on made-up data, to its end; leaves nothing running
	@$(BIN)/pos demo

up: install ## The whole stack in the foreground; SANDBOX=1 adds a sandbox with made-up shops
	@$(BIN)/pos up $(if $(SANDBOX),--sandbox)

test: install ## All tests
	@$(BIN)/python -m pytest -n 2

check: install ## Format, lint, types, definitions, migrations, models
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.project_checks

bench: install ## What things cost on this machine, against the budgets; ONLY=webhooks,flood for some
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

format: install ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

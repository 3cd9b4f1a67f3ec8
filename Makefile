# Everything works on a fresh machine with Python 3.11 or newer and its venv module.
# The first call makes .venv and installs into it; later calls start at once.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
CLIENTS := .venv-az/.installed
PAGE := .venv/.installed-page
.DEFAULT_GOAL := help

.PHONY: help demo test lint types contracts tests properties chaos test-clients test-page test-office test-sweeps bench clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

demo: $(INSTALLED) ## Show all of it on an invented estate, without Azure, in under two minutes
	@$(BIN)/readiness demo

test: lint types contracts tests ## Run every gate: style, types, import contracts, tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

tests: $(INSTALLED)
	$(BIN)/pytest -n auto --dist worksteal

properties: $(INSTALLED) ## Try every property with examples that no run has seen yet
	$(BIN)/pytest -n auto -m hypothesis --hypothesis-profile=searching

chaos: $(INSTALLED) ## Kill hundreds of runs and try every trouble at every step (at most 30 minutes)
	$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),30)

test-clients: $(INSTALLED) $(CLIENTS) ## Drive served twins with the Azure CLI (installs 730 MB into .venv-az, once)
	$(BIN)/pytest -m clients -n 2 --dist loadfile tests/clients

test-page: $(PAGE) ## Open the pages in Chromium (needs Debian's chromium)
	$(BIN)/pytest -m page tests/page

test-office: $(INSTALLED) ## Open the workbooks in LibreOffice (needs Debian's libreoffice-calc)
	$(BIN)/pytest -m office

test-sweeps: $(INSTALLED) ## Kill campaigns at one moment after the other, and lose their journals, in this process
	$(BIN)/pytest -n auto --dist worksteal -m sweep tests/engine

bench: $(PAGE) ## Measure; prints ratios, asserts nothing
	$(BIN)/python -m tests.benchmarks.bench

clean: ## Remove what was installed and made
	rm -rf .venv .venv-az out .readiness .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer with its venv module is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(PAGE): $(INSTALLED)
	@echo "Installing what drives a browser, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,page]'
	@touch $@

$(CLIENTS): tests/clients/constraints.txt
	@test -x .venv-az/bin/python || $(PYTHON) -m venv .venv-az
	@echo "Installing the Azure CLI into .venv-az, once, in about two minutes ..."
	@.venv-az/bin/python -m pip install --quiet --disable-pip-version-check -c tests/clients/constraints.txt azure-cli
	@touch $@

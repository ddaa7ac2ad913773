# Two commands on a fresh machine (Python 3.11+, pip, make):
#   make demo   sets everything up in .venv and runs the main job on real figures
#   make test   sets up and runs every check
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
LOCK := $(wildcard locks/python$(VERSION).txt)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(LOCK),-c $(LOCK))
WORKERS ?= 2

.PHONY: demo test test-all lint types notebooks bench docs lock licences audit clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml $(LOCK) | $(VENV)/bin/python
	$(PIP) -e ".[report]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCK) | $(VENV)/bin/python
	$(PIP) -e ".[report,dev]"
	@touch $@ $(VENV)/.core

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) -e ".[docs]"
	@touch $@

demo: $(VENV)/.core
	$(BIN)/actuarial demo --out reports

test: lint types
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --nbmake tests actuarial notebooks

test-all: lint types
	$(BIN)/python -m pytest -n $(WORKERS) --nbmake tests actuarial notebooks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --nbmake notebooks

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.docs
	$(BIN)/python docs/make_glossary.py
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/build_site.py

# known vulnerabilities of the locked versions; asks PyPI
audit:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet pip-audit
	build/audit/bin/pip-audit --no-deps --disable-pip -r $(or $(LOCK),locks/python3.11.txt)

licences: $(VENV)/.core
	$(BIN)/actuarial licences

lock: $(VENV)/.dev
	$(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==' | sort -f > locks/python$(VERSION).txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

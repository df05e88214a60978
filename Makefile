# The virtual environment comes first on PATH, because DVC stages call `python`.
VENV := .venv
PYTHON ?= python3.11
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
PROFILE ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev reproduce smoke test lint check faults audit benchmarks dashboard clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or call make PYTHON=python3.x"; exit 1; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	# torch first and exact: a range, or another package that needs it, may pull gigabytes of CUDA
	$(VENV)/bin/python -m pip install --quiet torch==2.13.0
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

setup: $(VENV)/.installed ## create the virtual environment with pinned dependencies

setup-dev: $(VENV)/.installed-dev ## the same, with the development tools

reproduce: setup ## everything: data, training, extrapolation, Table 1 (params.yaml as it is, or PROFILE=smoke, rivals, paper)
	@test -d .git || test -d .dvc || { echo "make: run from a clone of the repository"; exit 1; }
	@python -m pipeline reproduce $(if $(PROFILE),--profile $(PROFILE))

test: setup-dev lint check ## everything: ruff, mypy, pytest

lint: setup-dev ## ruff and mypy
	ruff check .
	ruff format --check .
	mypy

check: setup-dev ## pytest
	# the tests of a file share their set-up, so they stay in one process
	python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

faults: setup-dev ## the long fault campaign: kills, full disks, damaged and hostile files (docs/reliability.md)
	python -m pytest -m "faults or not faults" tests/faults

audit: setup-dev ## look up known vulnerabilities of the pinned packages; needs a network
	$(VENV)/bin/python -m pip install --quiet pip-audit
	python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

benchmarks: setup-dev ## speed and accuracy against named rivals, as ratios
	python -m benchmarks.geometry
	python -m benchmarks.metrics
	python -m benchmarks.training
	python -m benchmarks.pipeline

dashboard: setup ## MLflow on 127.0.0.1
	@python -m pipeline dashboard

clean: ## remove the environment and caches, keep data, models and reports
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

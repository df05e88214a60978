# The virtual environment comes first on PATH: dvc stages call `python`, and must get this one.
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
	# torch alone and exact: a range, or another package asking for it, may pull gigabytes of CUDA
	$(VENV)/bin/python -m pip install --quiet torch==2.13.0
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

setup: $(VENV)/.installed ## make the virtual environment with pinned dependencies

setup-dev: $(VENV)/.installed-dev ## the same with the development tools

reproduce: setup ## everything: data, training, extrapolation, Table 1 (params.yaml as it is, or PROFILE=smoke, rivals, paper)
	@test -d .git || test -d .dvc || { echo "make: run from a clone of the repository"; exit 1; }
	@python -m pipeline reproduce $(if $(PROFILE),--profile $(PROFILE))

test: setup-dev lint check ## ruff, mypy, pytest

lint: setup-dev
	ruff check .
	ruff format --check .
	mypy

check: setup-dev
	# a file's tests share what they set up, so they stay in one process
	python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

faults: setup-dev ## the long fault campaign: kills, full disks, spoilt and hostile files (docs/reliability.md)
	python -m pytest -m "faults or not faults" tests/faults

audit: setup-dev ## known vulnerabilities of the pinned packages; needs a network
	$(VENV)/bin/python -m pip install --quiet pip-audit
	python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

benchmarks: setup-dev ## speed and accuracy against named rivals, ratios in one run
	python -m benchmarks.geometry
	python -m benchmarks.metrics
	python -m benchmarks.training
	python -m benchmarks.pipeline

dashboard: setup ## MLflow on 127.0.0.1
	@python -m pipeline dashboard

clean: ## remove the environment and caches, keep data, models and reports
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

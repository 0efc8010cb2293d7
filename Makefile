# Every target sets up what it needs: a virtual environment in .venv with the pinned packages of constraints.txt,
# made once and again whenever pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install quickstart test test-slow test-all test-gpu check format bench pictures wheel clean

help:  ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## Create .venv and install mesabench with all extras

# A .venv that is there is used; one without a working pip (an interrupted set-up) is made anew.
# --no-compile: what is imported is compiled then; all of PyTorch at once takes twenty seconds.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mesabench needs Python 3.11 or newer, but $(PYTHON) is %d.%d; try: make PYTHON=python3.11" % sys.version_info[:2])'
	$(BIN)/python -m pip --version 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --no-compile --editable '.[all]' --constraint constraints.txt
	@touch $@

quickstart: $(INSTALLED)  ## Train, shift, score: a first report in about three minutes
	$(BIN)/mesabench run configs/quickstart.toml
	@echo "The report: file://$(CURDIR)/runs/quickstart/report.html"

TESTS := $(BIN)/python -m pytest -n 2

test: check  ## Lint, types and all tests but the slow ones
	$(TESTS) -m 'not slow'

test-slow: $(INSTALLED)  ## The slow tests: long experiments, and in every world what is tried on few
	$(TESTS) -m slow

test-all: check  ## Lint, types and all tests, in one run
	$(TESTS)

check: $(INSTALLED)  ## Lint, format and types only (an environment file: mesabench check ENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)  ## Put the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)  ## Measure steps per second of every environment
	$(BIN)/mesabench bench

# On a machine with an NVIDIA GPU, after: .venv/bin/python -m pip install --editable '.[cuda]' --constraint constraints.txt
test-gpu: $(INSTALLED)  ## On an NVIDIA GPU: the same trajectories as on the processor, then steps per second
	$(BIN)/python tests/gpu.py
	$(BIN)/mesabench bench cheese_corner --device cuda --batch 1048576 --batch 4194304
	$(BIN)/mesabench bench monster_world --device cuda --batch 1048576

pictures: $(INSTALLED)  ## Draw the pictures of README, docs and results/README.md again, and the pages of environments
	$(BIN)/python docs/draw_pictures.py
	$(BIN)/python docs/write_environments.py

# By way of the source archive, so that leftovers in build/ cannot slip into the wheel.
wheel: $(INSTALLED)  ## Build the source archive and the wheel into dist/
	$(BIN)/python -m build

clean:  ## Remove what make made; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find mesabench envs agents configs tests -name __pycache__ -exec rm -rf {} +

# Two commands: `make chat` talks, `make test` proves. Everything lives in .venv and the user's cache.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
.DEFAULT_GOAL := help

help:            ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

.venv/.chat: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.dev: .venv/.chat
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,train,postgres,serve,replay]'
	@touch $@

chat: .venv/.chat  ## talk to the sample shop's agent (pipe lines in to have each answered)
	@$(BIN)/instructrec models pull >&2
	@$(BIN)/instructrec index examples/shop >&2
	@$(BIN)/instructrec chat $(ARGS)

test: .venv/.dev   ## the whole test suite
	@$(BIN)/instructrec models pull --quiet
	$(BIN)/python -m pytest $(ARGS)

unit: .venv/.dev   ## the quick part of it
	$(BIN)/python -m pytest -m "not model and not data and not terminal and not postgres and not slow" $(ARGS)

check: .venv/.dev  ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/.dev   ## write what the pages take from the command's help and from the results
	$(BIN)/python -m dialog.cli.reference > docs/cli.md
	$(BIN)/python -m benchmarks.report

bench: .venv/.dev  ## measure; results into benchmarks/results
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv

.PHONY: help chat test unit check docs bench clean

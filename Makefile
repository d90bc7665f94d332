# From nothing but Python 3.11 or newer, make and pip. Everything is installed into .venv and stays there.
PYTHON ?= python3
DESK ?= desk
FILES ?= $(wildcard data/articles-*.jsonl)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help report notebooks test lint types check docs clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1 - /p' Makefile

report: .venv/installed $(DESK)/archive.sqlite  ## the weekly report on data/ (or FILES=...), in ./desk (or DESK=...)
	@$(BIN)/narratives run --desk $(DESK) $(FILES)

notebooks: .venv/installed-dev $(DESK)/archive.sqlite  ## run the notebooks on ./desk and write docs/notebooks
	$(BIN)/python docs/render_notebooks.py $(DESK)

test: .venv/installed-dev  ## run the tests
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: .venv/installed-dev  ## style
	$(BIN)/ruff check .

types: .venv/installed-dev  ## static types
	$(BIN)/mypy

check: .venv/installed-dev  ## do the installed packages fit together?
	$(PIP) check

docs: .venv/installed-dev  ## write the reference in docs/ from the program
	$(BIN)/python docs/reference/generate.py

clean:  ## remove what was made here; a desk only after asking
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -e $(DESK)/archive.sqlite ]; then \
	  if [ -t 0 ]; then printf 'Delete the desk "%s" too, with its history? [y/N] ' '$(DESK)'; read -r answer; \
	  else answer=n; fi; \
	  case "$$answer" in \
	    y|Y|yes) rm -rf '$(DESK)'; echo 'deleted $(DESK)';; \
	    *) echo 'kept $(DESK)';; \
	  esac; \
	fi

$(DESK)/archive.sqlite: | .venv/installed
	$(BIN)/narratives init $(DESK) --definitions data/definitions.yaml

# pip before 24 misses some extras, so it comes first. Debian's Python without ensurepip gets pip another way.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo '$(PYTHON) is older than Python 3.11: name a newer one, make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv && \
	  $(PYTHON) -m pip --python .venv/bin/python install --quiet pip; }
	$(PIP) install --quiet --upgrade 'pip>=24'

.venv/installed: pyproject.toml | .venv/bin/python
	@echo 'installing into .venv (once, some minutes)'
	$(PIP) install --quiet -e '.[feeds]'
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	@echo 'installing into .venv (once, some minutes)'
	$(PIP) install --quiet -e '.[dev]'
	@touch $@ .venv/installed

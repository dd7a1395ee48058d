# What people and CI call alike; CONTRIBUTING.md explains it. VENV=path takes another virtual environment.
VENV ?= .venv
RUN = $(VENV)/bin/

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup:  ## a virtual environment with everything that developers need; again after a changed *.c file
	test -d $(VENV) || python3 -m venv $(VENV)
	$(RUN)pip install --quiet -e '.[dev]'

.PHONY: check
check: lint types imports fast  ## before each commit: lint, types, imports and the fast tests, in less than a minute

.PHONY: lint
lint:  ## ruff: rules and format; hadolint; compose.yaml by the schema of the Compose specification
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)hadolint Containerfile
	$(RUN)check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml

.PHONY: format
format:  ## lets ruff mend what it can
	$(RUN)ruff check --fix .
	$(RUN)ruff format .

.PHONY: types
types:  ## mypy, strict
	$(RUN)mypy

.PHONY: imports
imports:  ## import-linter: who may import whom
	$(RUN)lint-imports --no-logo

.PHONY: fast
fast:  ## the tests that take no seconds each, on all cores
	$(RUN)pytest -q -n auto -m "not slow"

.PHONY: test
test:  ## all tests
	$(RUN)pytest

.PHONY: packages
packages:  ## sdist and wheel in dist/, checked; on Linux the wheel is tagged for manylinux
	$(RUN)pip install --quiet -e '.[release]'
	rm -rf build dist
	$(RUN)python -m build
	$(RUN)python .ci/manylinux.py dist
	$(RUN)twine check --strict dist/*

.PHONY: container
container:  ## builds the image and tries it, without a registry; as root, with buildah and debootstrap
	bash .ci/container

.PHONY: ci
ci:  ## what CI runs, in a copy of the tree
	bash .ci/run

# Two commands: `make run` serves the folder mail/, `make test` runs every check.

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
SOURCES := setup.cfg pyproject.toml $(shell find mailaccess twisted -name '*.py')

.PHONY: run test lint types layers unit system soak docs clean

run: $(VENV)/installed
	$(BIN)/twistd --nodaemon --pidfile= mailaccess --maildir mail \
		--imap 127.0.0.1:1143 --imaps 127.0.0.1:1993 --pop3 127.0.0.1:1110 --pop3s 127.0.0.1:1995

test: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports layers.cfg
	$(BIN)/pytest --cov --cov-report=term $(PYTEST)

lint types layers unit system soak: $(VENV)/installed-test
lint:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
types:
	$(BIN)/mypy
layers:
	$(BIN)/lint-imports layers.cfg
unit:
	$(BIN)/pytest -m "not system and not soak"
system:
	$(BIN)/pytest -m system
soak:
	$(BIN)/pytest -m soak --timeout 3600

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/pip $(SOURCES)
	$(BIN)/pip install --quiet .
	@touch $@

$(VENV)/installed-test: $(VENV)/bin/pip $(SOURCES)
	$(BIN)/pip install --quiet '.[test]'
	@touch $@ $(VENV)/installed

docs: $(VENV)/installed-test
	$(BIN)/python docs/make.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

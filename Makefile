# make demo   environment, install, a certificate, the default bench.yaml run, an HTML board
# make test   environment, install, linters, types, all tests

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

export HF_HUB_OFFLINE ?= 1
export MLFLOW_DISABLE_TELEMETRY ?= true

.PHONY: demo test install lint types tests clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[offline,dev]'
	touch $@

demo: install
	$(BIN)/bench certify wow-seg
	$(BIN)/bench run
	@echo "'. $(BIN)/activate' puts bench on this shell's PATH"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

tests: install
	$(BIN)/pytest --numprocesses auto --maxprocesses 4

test: lint types tests

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .regionbench runs site mlflow.db

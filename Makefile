# `make demo` runs the digits lab; `make test` runs every test this machine can run.
# Both set up .venv by themselves. PYTHON names another interpreter (3.10 or newer).

PYTHON ?= python3
BIN := .venv/bin
SOURCES := setup.py pyproject.toml

.PHONY: demo test pure lint bench chaos fuzz schema clean

demo: .venv/.lab
	@$(BIN)/lab apply examples/digits/Labfile.yaml

test: .venv/.test
	@$(BIN)/python tests/suite.py

pure: .venv/.test
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not live"

lint: .venv/.test
	@$(BIN)/ruff check lab providers tests benchmarks examples setup.py
	@$(BIN)/ruff format --check lab providers tests benchmarks examples setup.py
	@$(BIN)/mypy

bench: .venv/.lab
	@$(BIN)/python benchmarks/run.py $(ARGS)

# make chaos N=1000 SEED=7; LIFE=12 only that one of the random labs
N ?= 20
SEED ?= 0
chaos: .venv/.test
	@$(BIN)/python -m tests.chaos --kills $(N) --seed $(SEED) $(if $(LIFE),--life $(LIFE))

# make fuzz N=100000 SEED=7
fuzz: .venv/.fuzz
	@$(BIN)/python tests/fuzz.py --inputs $(if $(filter 20,$(N)),20000,$(N)) --seed $(SEED) $(ARGS)

schema: .venv/.lab
	@$(BIN)/lab schema > labfile.schema.json

clean:
	rm -rf .venv build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "lab needs Python 3.10 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "No venv here. On Debian: apt install python3-venv"; exit 1; }

.venv/.lab: .venv/bin/python $(SOURCES)
	@echo "Setting up .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@$(BIN)/python -m compileall -q lab providers $$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])') || true
	@touch $@

.venv/.fuzz: .venv/.test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]' \
	  || echo "atheris cannot be installed here: inputs are mutated without it."
	@touch $@

.venv/.test: .venv/.lab
	@echo "Adding what the tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

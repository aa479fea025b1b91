# Two commands: `make demo` and `make test`. Both need only Python 3.11 and make.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/demo
SECONDS ?= 60
NETWORK := tests/instances/topology-zoo/Cogentco.graphml

.PHONY: demo pretrained docs tutorials test lint style types proofs format clean

demo: $(VENV)/for-use
	@test ! -e $(RUN) || { echo "make demo: $(RUN) exists already; remove it, or name another: make demo RUN=runs/again" >&2; exit 2; }
	$(BIN)/graphwright train vertex-cover --run $(RUN) --seconds $(SECONDS)
	$(BIN)/graphwright evaluate $(RUN) --sizes 15 20 50 100
	$(BIN)/graphwright solve $(RUN) $(NETWORK) --picture $(RUN)/cogentco.png
	@echo "Learning curve: $(RUN)/curve.png   Map of the cover: $(RUN)/cogentco.png"

pretrained: $(VENV)/for-use
	$(BIN)/python benchmarks/learning/pretrained.py

docs: $(VENV)/for-tests
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

tutorials: $(VENV)/for-tests
	$(BIN)/python docs/notebooks.py

# Types and pages are checked beside the proofs: these leave a core idle where they wait for processes.
test: style
	@$(MAKE) --no-print-directory --jobs 3 types docs proofs

lint: style types

style: $(VENV)/for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/for-tests
	$(BIN)/mypy

# One thread of BLAS too, and of the commands that tests start; these keep what they have compiled of the sources.
proofs: $(VENV)/for-tests
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

format: $(VENV)/for-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/for-use: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[solvers]"
	touch $@

$(VENV)/for-tests: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs

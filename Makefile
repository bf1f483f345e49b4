# Two commands matter to a newcomer: `make run` and `make test`. Both do all of the set-up.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin

# llama.cpp is built for its quantiser alone: without its server, its tools and its vision parts it is ready in about three minutes.
export CMAKE_ARGS ?= -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_CURL=OFF -DGGML_NATIVE=OFF
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)

.PHONY: run setup test test-all bench screenshots lint lock clean

run: setup  ## the main job on movie-reviews, then the page
	$(BIN)/brewslm quickstart --serve

setup: $(VENV)/.ready

# torch first and by itself (its CPU build), then everything else from the lock, by hash and without a resolver.
$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip cache remove --quiet llama_cpp_python >/dev/null 2>&1 || true  # a wheel that was built for this very processor
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

test: setup  ## the whole suite, under ten minutes on two cores
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-all: setup  ## with the heavier proofs, and examples that nobody has tried before
	$(BIN)/pytest --hypothesis-profile=explore

bench: setup
	$(BIN)/python -m bench.quickstart

screenshots: setup  ## every page in both themes at three widths, into .screenshots/
	$(BIN)/python -m tests.web.screenshots

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry brewslm app
	$(BIN)/brewslm audit lint

lock: setup
	$(BIN)/uv pip compile pyproject.toml --extra dev --override overrides.txt --generate-hashes --python-version 3.11 \
	    --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV)

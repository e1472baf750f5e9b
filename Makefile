# Everyday commands. Recipes stay POSIX, and the file works with GNU make 3.81.
# PYTHON=… selects the interpreter of .venv/, ARGS=… is passed on to the command, PORT=… is the port of `ui`.

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --durations=10

.PHONY: help setup setup-dev run ui site test snapshots test-slow test-kill test-ui bench lint format lock clean

help: ## print this list (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make or refresh .venv/ from requirements.lock (`run` and `ui` do this first)
	@deploy/setup.sh

setup-dev: ## the same from requirements-dev.lock: tests and tools too (all other targets do this first)
	@deploy/setup.sh dev

run: setup ## run the nightly job once and print the verdict (ARGS="--as-of 2024-12-31")
	@$(BIN)/python -m pipelines run $(ARGS)

ui: setup ## serve the Dagster interface on 127.0.0.1:3000 until Ctrl-C (PORT=…)
	@deploy/ui.sh

site: setup ## add the published release to the static site in SITE=site
	@$(BIN)/python -m pipelines site $(or $(SITE),site) $(ARGS)

test: setup-dev ## run all tests but the slow, kill, browser and benchmark groups, one process per core
	$(PYTEST) -n auto --dist worksteal -m "not slow and not kill and not ui and not bench" $(ARGS)

snapshots: setup-dev ## rewrite tests/snapshots after an intended change of assets or published figures
	WRITE_SNAPSHOTS=1 $(PYTEST) tests/integration/test_snapshots.py
	@git status --short tests/snapshots

test-slow: setup-dev ## run the slow tests, one process per core, each file in one of them (its tests share data directories)
	$(PYTEST) -n auto --dist loadfile --no-loadscope-reorder -m slow $(ARGS)

test-kill: setup-dev ## kill 200 runs at random moments and check what is left (KILLS=…; an hour)
	KILLS=$${KILLS:-200} $(PYTEST) -s -m kill $(ARGS)

test-ui: setup-dev ## run the browser tests (needs an installed Chromium)
	$(PYTEST) -m ui $(ARGS)

bench: setup-dev ## run the measurements in tests/benchmarks and rewrite docs/benchmarks.md (BENCH_VINTAGES=…)
	$(PYTEST) -m bench tests/benchmarks $(ARGS)

lint: setup-dev ## check style, format, types and the shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@for script in deploy/*.sh .ci/run; do bash -n $$script || exit 1; done

format: setup-dev ## apply the formatter and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup-dev ## resolve requirements*.in into the two locks (hashes, no index address)
	@uv=$$(command -v uv || echo $(BIN)/uv); \
	for name in requirements-dev requirements; do \
	  $$uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header $$name.in $$constraint -o $$name.lock || exit 1; \
	  constraint="-c requirements-dev.lock"; \
	done

clean: ## remove caches (never .venv/, data/ or Dagster's history)
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find assets checks pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

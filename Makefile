# One place for what people, hooks and CI run. `make` lists the targets.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=

# A virtual environment does not survive being moved, so the stamp holds the folder it was made in.
READY := $(VENV)/.ready
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

.DEFAULT_GOAL := help
.PHONY: help setup machine demo test test-slow check format format-check lint types wheel pictures clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target what; do printf '  make %-13s %s\n' "$$target" "$$what"; done

setup: $(READY) ## make .venv with everything in it; quick when nothing changed

machine: ## see to Python, venv and OpenGL/EGL, the things pip cannot install
	@sh .ci/prepare-machine $(PYTHON)

$(READY): pyproject.toml constraints.txt perma_agent/version.py | machine
	@$(RUN) -m pip --version >/dev/null 2>&1 && [ "$$(cat $@ 2>/dev/null || echo $(CURDIR))" = "$(CURDIR)" ] || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing perma_agent and what it needs into $(VENV); torch is large, so the first time takes minutes"
	@$(RUN) -m pip install $$([ -t 1 ] || echo --quiet) --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@printf '%s' "$(CURDIR)" > $@

demo: setup ## the whole stack once, at most 10 minutes on 2 cores; ARGS=--debug for one minute
	$(VENV)/bin/perma-agent demo $(ARGS)

# A file a worker, a thread each: workers whose threads spin for a core that another one holds crawl.
WORKERS := OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto --maxprocesses 8 --dist loadfile

test: setup ## the tests, a core each; ARGS="tests/data -x" for some
	$(WORKERS) $(ARGS)

test-slow: setup ## the long tests too
	$(WORKERS) -m "not gpu" $(ARGS)

check: format-check lint types test ## what must be green before a commit

format: setup ## rewrite the code in the house's format
	$(RUN) -m ruff format .

format-check: setup
	$(RUN) -m ruff format --check .

lint: setup
	$(RUN) -m ruff check .

# Type checkers read files and cannot see that envs/ is perma_agent.envs: show it to them with links.
types: setup ## mypy, strict, over the package as it ships
	@rm -rf build/types && mkdir -p build/types/perma_agent
	@ln -s "$(CURDIR)"/perma_agent/* "$(CURDIR)/envs" "$(CURDIR)/wrappers" build/types/perma_agent/
	$(RUN) -m mypy -p perma_agent

wheel: setup ## build dist/*.whl from the source distribution
	@rm -rf dist
	$(RUN) -m build --outdir dist .

pictures: setup ## docs/levels.png, and docs/demo.png of the last demo's report (needs chromium)
	$(VENV)/bin/perma-agent levels --pictures docs/levels.png
	@command -v chromium >/dev/null || { echo "expected chromium for docs/demo.png, got none; install it (Debian: apt-get install chromium)"; exit 1; }
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,2600 --screenshot=docs/demo.png "file://$(CURDIR)/runs/demo/report.html"

clean: ## remove what the targets above made, .venv too
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

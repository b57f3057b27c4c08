# Everything a developer does, and everything that CI does (.ci/run calls these targets).
# Needs only make and Python >= 3.11 with venv; `make report` needs Node >= 20 too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV = $(or $(shell command -v uv),$(BIN)/uv)
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check
BOARDS ?= 3
SUITES := build/suites
SUITE_NAMES := $(patsubst suites/%/conftest.py,%,$(wildcard suites/*/conftest.py))
REPORT := build/report/index.html
ALLURE := build/allure/node_modules/.bin/allure
ALLURE_VERSION := 3.18.0
SOAK_SCALE ?= 1
TEST_WORKERS ?= 3
CLIENT_WORKERS ?= 4
CLIENTS := build/clients
CLIENT_LOCKS := requirements-nordic-clients.lock requirements-pelion-clients.lock requirements-manifest-tool-1.lock
# Whole sessions, most with a worker for each board, whole commands with all their processes, and pages in a
# browser.
SCENARIOS := tests/hotplug tests/farm tests/guardian/pages tests/nordic/attached/test_session.py \
	tests/nordic/attached/test_cli.py tests/nordic/test_living_sessions.py \
	tests/vendor_example/test_vendor_door.py tests/guardian/cli/test_technician.py tests/pelion/namespaces \
	$(patsubst %,tests/pelion/cli/test_%.py,how_to whole_way) \
	$(patsubst %,tests/cli/test_%.py,backend_check boards_ask boards_watch console lease run sweep) \
	$(patsubst %,tests/virtual/usb/test_%.py,hotplug_events lab_lifecycle strangers) \
	$(patsubst %,tests/pytest_plugin/test_%.py,attached attached_suites \
	backend_fixture boards_of_tests internal_errors leases_of_sessions ledger lifetimes redaction_defects \
	redaction_everywhere register_secret report_console report_expectations report_session several_boards \
	usage_errors who_is_who)

# A session is many short processes: without byte code each would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help suites test scenarios clients real-mode breaks soak bench lint report docs system-deps clean venv wheel allure

help:
	@echo "make suites       run each provisioning suite on $(BOARDS) virtual boards against its fake service"
	@echo "make report       make one page of the last 'make suites' (needs Node >= 20)"
	@echo "make test         run the harness's own tests, with branch coverage"
	@echo "make scenarios    run whole sessions: boards that come, go, die and are shared, workers that are killed"
	@echo "make clients      run vendors' unmodified tools and curl against the fakes and virtual boards"
	@echo "make real-mode    run the suites as against the real service, on a fake that decides all unknowns otherwise"
	@echo "make breaks       put each known defect into our own fake, board and harness; tests have to notice"
	@echo "make soak         run the long random tests (SOAK_SCALE=0.1 for a tenth)"
	@echo "make bench        measure against peers and floors"
	@echo "make lint         ruff, mypy and the import contracts"
	@echo "make docs         check the documentation: links, commands, examples"
	@echo "make wheel        build the wheel into dist/"
	@echo "make system-deps  install the system packages that the tests use (as root, Debian)"
	@echo "make clean        delete what the other targets made"

venv: $(INSTALLED)

# By uv, which is put into the environment where there is none: it takes a third of pip's time. Where it
# cannot, for example since only pip is told where packages come from, pip does it.
$(INSTALLED): requirements.lock requirements-uv.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@[ -x "$(UV)" ] || $(BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r requirements-uv.lock || :
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock || { \
		echo "uv cannot install, so pip does" >&2; \
		$(BIN)/$(PIP_INSTALL) --require-hashes -r requirements.lock ; }
	@$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

# Each suite is called as its service is. One that fails does not keep the next ones from being run.
suites: $(INSTALLED)
	@rm -rf $(SUITES)
	@mkdir -p $(SUITES)
	@status=0; \
	for suite in $(SUITE_NAMES); do \
		mkdir -p $(SUITES)/$$suite && \
		$(BIN)/harness run $$suite --bench virtual --boards $(BOARDS) -n auto --backend $$suite=fake \
			--strict-boards --expected suites/expected.toml --summary $(SUITES)/$$suite/summary.html \
			--alluredir $(SUITES)/$$suite/allure-results --junitxml $(SUITES)/$$suite/junit.xml || status=1; \
	done; \
	$(BIN)/harness merge $(foreach suite,$(SUITE_NAMES),$(suite)=$(SUITES)/$(suite)) --output $(SUITES)/all || status=1; \
	exit $$status
	@echo "Results: $(SUITES)/all; of each suite, with a summary: $(SUITE_NAMES:%=$(SUITES)/%)"
	@echo "For one page with every step: make report"

test: $(INSTALLED)
	@mkdir -p build/test
	@$(BIN)/python -m coverage erase
	@status=0; \
	$(BIN)/python -m coverage run -m pytest tests --ignore=tests/breaks --ignore=tests/soak --ignore=tests/clients \
		--ignore=tests/real_mode $(SCENARIOS:%=--ignore=%) -n $(TEST_WORKERS) --dist worksteal --junitxml build/test/junit.xml || status=1; \
	$(BIN)/python -m coverage combine --quiet; \
	$(BIN)/python -m coverage report > build/test/coverage.txt || status=1; \
	grep -A9 '^TOTAL' build/test/coverage.txt; \
	echo "Each line that no test runs: build/test/coverage.txt"; \
	exit $$status

# Not measured for coverage: what they show of single modules is shown in `make test`, too.
scenarios: $(INSTALLED)
	$(BIN)/python -m pytest $(SCENARIOS) -n $(TEST_WORKERS) --dist worksteal --junitxml build/scenarios/junit.xml

clients: $(INSTALLED) $(CLIENTS)/.installed
	$(BIN)/python -m pytest tests/clients -n $(CLIENT_WORKERS) --junitxml build/clients/junit.xml
	@echo "What was typed, sent and answered: build/clients/transcripts"

real-mode: $(INSTALLED)
	$(BIN)/python -m pytest tests/real_mode --junitxml build/real-mode/junit.xml

# Vendors' tools do not suit everybody's environment, nor each other: each set has one of its own.
$(CLIENTS)/.installed: $(CLIENT_LOCKS) | $(INSTALLED)
	@mkdir -p $(CLIENTS)
	@for lock in $(CLIENT_LOCKS); do \
		place=$(CLIENTS)/$$(basename $$lock .lock | sed 's/^requirements-//') && \
		$(PYTHON) -m venv --clear $$place && \
		{ $(UV) pip install --quiet --no-deps --python $$place/bin/python --require-hashes -r $$lock || \
			$$place/bin/$(PIP_INSTALL) --no-deps --require-hashes -r $$lock ; } || exit 1; \
	done
	@touch $@

breaks: $(INSTALLED)
	$(BIN)/python -m pytest tests/breaks --junitxml build/breaks/junit.xml

soak: $(INSTALLED)
	HARNESS_SOAK_SCALE=$(SOAK_SCALE) $(BIN)/python -m pytest tests/soak -n 2 --junitxml build/soak/junit.xml

bench: $(INSTALLED)
	@for file in benchmarks/bench_*.py; do echo "== $$file" && $(BIN)/python $$file || exit 1; done

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

report: $(INSTALLED) $(ALLURE)
	$(BIN)/harness report $(SUITES)/all/allure-results --output $(REPORT) --allure $(ALLURE)

allure: $(ALLURE)

$(ALLURE):
	@node --eval 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null || \
		{ echo "make report needs Node 20 or newer on the PATH" >&2; exit 1; }
	@mkdir -p build/allure
	@cd build/allure && npm install --silent --no-save --no-package-lock --no-audit --no-fund allure@$(ALLURE_VERSION)

docs: $(INSTALLED)
	$(BIN)/python -m pytest tests/docs

wheel: $(INSTALLED)
	@rm -rf dist
	$(BIN)/hatchling build --target wheel

system-deps:
	@[ "$$(id -u)" = 0 ] || { echo "make system-deps needs root" >&2; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
		make python3 python3-venv git openssl openssh-client openssh-server gcc libc6-dev iproute2 util-linux curl libcoap3-bin chromium chromium-driver ser2net umockdev libumockdev0 $$(command -v node >/dev/null || echo nodejs npm)

clean:
	rm -rf build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf $(VENV)

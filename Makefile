PY := .venv/bin/python
.PHONY: setup pilot test heavy lint compose train clean
setup: .venv/ready ## make the environment: Python packages at the tested versions
.venv/ready: pyproject.toml constraints.txt ; python3 -m venv .venv && ((.venv/bin/pip install -q -c constraints.txt uv && .venv/bin/uv pip install -q --compile-bytecode --python $(PY) -c constraints.txt -e '.[dev]') || .venv/bin/pip install -q -c constraints.txt -e '.[dev]') && touch $@
pilot: setup ; .venv/bin/escucha pilot
test: setup ; $(PY) -m pytest -q -n auto --dist loadfile
heavy: setup ; $(PY) -m pytest -q -m "heavy and not alone" -n auto --dist loadfile && $(PY) -m pytest -q -m "heavy and alone"
lint: setup ; $(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && $(PY) -m yamllint -s .
compose: setup ; $(PY) -m pipelines.pilot.compose
train: setup ; $(PY) -m pip install -q -c constraints.txt torch==2.13.0 && $(PY) -m pip install -q -c constraints.txt -e '.[training]' && OMP_NUM_THREADS=1 $(PY) -m models.training.pipeline --out build/training --shared $(or $(SHARED),../shared) --variant $(or $(VARIANT),clean) $(if $(INSTALL),--install)
clean: ; rm -rf data/raw data/warehouse* data/published data/reports .venv

"""The public face: names, and what importing it costs."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import caraway
from caraway import celery_warnings, exceptions

MODULES = sorted(
    module.name for module in pkgutil.iter_modules(caraway.__path__, "caraway.") if module.name != "caraway.v1"
)


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(caraway.__all__) == caraway.__all__
    assert set(caraway.__all__) <= set(vars(caraway))


@pytest.mark.parametrize("name", MODULES)
def test_each_module_exports_sorted_names_that_it_has(name: str) -> None:
    module = importlib.import_module(name)
    assert all(hasattr(module, exported) for exported in module.__all__)


def test_every_error_is_a_caraway_error_and_is_exported_and_drawn() -> None:
    of_celery = {"CeleryError": "CarawayError", "InvalidTaskError": "InvalidTask"}
    for name, same in of_celery.items():
        assert getattr(exceptions, name) is getattr(exceptions, same)
    classes = {name for name, value in vars(exceptions).items() if isinstance(value, type) and name[0] != "_"}
    bases = (exceptions.CarawayError, exceptions.BackendError)
    own = {name for name in classes if issubclass(getattr(exceptions, name), bases)}
    assert own | {*celery_warnings.__all__, "reraise"} == set(exceptions.__all__)
    assert {getattr(exceptions, name).__module__ for name in exceptions.__all__} == {"caraway.exceptions"}
    own -= of_celery.keys()
    drawn = {line.split("─ ")[-1].split()[0] for line in (exceptions.__doc__ or "").splitlines() if "─ " in line}
    assert drawn | {"CarawayError", "BackendError"} == own


def test_a_program_that_only_defines_tasks_does_not_load_grpc() -> None:
    program = """
import sys
import caraway, caraway.app, caraway.task, caraway.loader, caraway.wire_error, caraway.reasons
app = caraway.Caraway("proj")
@app.task
def add(x, y): return x + y
assert add(1, 2) == 3
print([name for name in sys.modules if name.split(".")[0] == "grpc"])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "[]\n"

"""docs/celery-names.md names all that Celery's reference does, once, and says of it what is so."""

import importlib
import re

import pytest

import caraway
from caraway.conf import OPTIONS
from caraway.migration.counterparts import counterpart
from docs.public_names import MODULES, NAMED, NAMES, PAGE, page, why

TEXT = PAGE.read_text()
PUBLIC = [(module, name) for module, names in NAMES["public_names"].items() for name in names]


def test_the_page_is_what_the_lists_say() -> None:
    assert page() == TEXT, "run `make names`"


def test_every_name_of_celery_s_stands_there() -> None:
    there = set(re.findall(r"`([^`]+)`", TEXT))
    listed = {*NAMES["settings"], *NAMES["task_options"], *NAMES["call_options"], *(name for _, name in PUBLIC)}
    assert listed - there == set()


@pytest.mark.parametrize("module", NAMES["public_names"])
def test_what_is_the_same_is_there(module: str) -> None:
    """Under the same path, or at the top of caraway."""
    ours = module.replace("celery", "caraway", 1)
    for name in NAMES["public_names"][module]:
        if why(module, name)[0] != "same":
            continue
        try:
            found = hasattr(importlib.import_module(ours), name)
        except ModuleNotFoundError:
            found = False
        assert found or hasattr(caraway, name) or importlib.util.find_spec(f"{ours}.{name}") is not None, (module, name)


def test_nothing_is_said_of_names_that_celery_has_not() -> None:
    others = {(module, name) for module, name in PUBLIC if why(module, name)[0] != "same"}
    assert NAMED.keys() - {word for module, name in PUBLIC for word in (name, f"{module}.{name}")} == set()
    assert MODULES.keys() - {module for module, _ in others} == set()


def test_what_is_there_is_said_to_be() -> None:
    """Red where a name of Celery's has come, and the page still says that it has not."""
    there = {f"{module}.{name}" for module, name in PUBLIC if counterpart(f"{module}.{name}") is not None}
    assert {f"{module}.{name}" for module, name in PUBLIC if why(module, name)[0] == "same"} == there


def test_settings_that_are_there_stand_there() -> None:
    assert OPTIONS.keys() & set(NAMES["settings"]) <= set(re.findall(r"`(\w+)`", TEXT))


def test_what_is_named_in_its_place_is_there() -> None:
    for _, here in [*NAMED.values(), *MODULES.values()]:
        for dotted in re.findall(r"`(caraway(?:\.\w+)+)`", here):
            module, _, attribute = dotted.rpartition(".")
            try:
                assert hasattr(importlib.import_module(module), attribute), dotted
            except ModuleNotFoundError:
                importlib.import_module(dotted)

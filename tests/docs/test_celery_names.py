"""docs/celery-names.md names all that Celery's reference does, once, and says of it what is so."""

import importlib
import re
from importlib import resources

import pytest

import caraway
from caraway.conf import OPTIONS
from caraway.migration.counterparts import counterpart
from docs.public_names import NAMES, PAGE, members_of, page, shipped_left_out, why, why_member
from docs.reasons import MEMBERS, MODULES, NAMED
from docs.shipped_names import attributes

TEXT = PAGE.read_text()
OWN = [(kind, name) for kind, names in NAMES["members"].items() for name in names]
PUBLIC = [(module, name) for module, names in NAMES["public_names"].items() for name in names]


def test_the_page_is_what_the_lists_say() -> None:
    assert page() == TEXT, "run `make names`"


def test_the_list_that_ships_says_the_same() -> None:
    assert (
        resources.files("caraway.migration").joinpath("public_names.json").read_text("utf-8") == shipped_left_out()
    ), "run `make names`"


def test_every_name_of_celery_s_stands_there() -> None:
    there = set(re.findall(r"`([^`]+)`", TEXT))
    listed = {
        *NAMES["settings"],
        *NAMES["task_options"],
        *NAMES["call_options"],
        *(name for _, name in [*PUBLIC, *OWN]),
    }
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
    for _, here in [*NAMED.values(), *MODULES.values(), *MEMBERS.values()]:
        for dotted in re.findall(r"`(caraway(?:\.\w+)+)`", here):
            module, _, attribute = dotted.rpartition(".")
            try:
                assert hasattr(importlib.import_module(module), attribute), dotted
            except ModuleNotFoundError:
                importlib.import_module(dotted)


def test_a_reason_is_given_for_members_that_are_not_there_and_for_no_others() -> None:
    """Red where a member has come, and the page still says that it has not."""
    ours = {kind: members_of(kind) for kind in NAMES["members"]}
    missing = {(kind, name) for kind, name in OWN if name not in ours[kind]}
    assert {(kind, name) for kind, name in OWN if why_member(kind, name, ours[kind])[0] != "same"} == missing
    words = {name for _, name in missing} | {f"{kind}.{name}" for kind, name in OWN}
    assert MEMBERS.keys() - words == set()


def test_what_migrate_check_ships_says_the_same() -> None:
    """Red where the lists were changed: make names."""
    assert resources.files("caraway.migration").joinpath("attributes.json").read_text("utf-8") == attributes()

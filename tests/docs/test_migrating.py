"""docs/migrating.md says one thing of every name of Celery's, and what it names of Caraway's is there."""

import inspect
import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from caraway import Caraway
from caraway.conf import OPTIONS
from caraway.settings.definition import definitions
from caraway.settings.sections import sections
from caraway.spec import CALL_OPTIONS
from caraway.task_options import TaskOptions
from docs.shipped_names import Said, said, shipped
from support.commands import options_at

NAMES = json.loads(Path(__file__).with_name("celery_names.json").read_text())
WORDS = {"same", "better", "renamed", "unneeded", "not there"}


SAID = list(said())


def expected(kind: str) -> set[str]:
    if kind != "commands":
        return set(NAMES[kind])
    commands: dict[str, list[str]] = NAMES["commands"]
    return {f"{command} {option}".strip() for command, options in commands.items() for option in options or [""]}


@pytest.mark.parametrize("kind", ["settings", "task_options", "call_options", "commands"])
def test_each_name_stands_there_once(kind: str) -> None:
    counted = Counter(row.name for row in SAID if row.kind == kind)
    assert {name for name, count in counted.items() if count > 1} == set()
    assert expected(kind) - counted.keys() == set()
    # A command that has options may have a row of its own beside theirs.
    assert counted.keys() - expected(kind) - set(NAMES["commands"]) == set()


def test_the_list_that_ships_says_the_same() -> None:
    """Red where the page was changed: make names."""
    assert resources.files("caraway.migration").joinpath("names.json").read_text("utf-8") == shipped()


def test_each_has_one_of_the_four_words() -> None:
    assert [row for row in SAID if row.word not in WORDS] == []


PARAMETERS = {
    "@app.task": TaskOptions.OPTIONS | {"name", "bind", "base"},
    "apply_async": CALL_OPTIONS,
    "Caraway": inspect.signature(Caraway).parameters.keys() | OPTIONS.keys(),
}
SETTINGS = {f"[{known.section}] {known.key}" for section in sections().values() for known in definitions(section)}


def is_there(code: str) -> bool | None:
    """Whether a name of Caraway's is; None if this is no name in one of the page's ways to write them."""
    parameter = re.fullmatch(r"(@app\.task|apply_async|Caraway)\((\w+)=\)", code)
    if parameter is not None:
        return parameter[2] in PARAMETERS[parameter[1]]
    if code.startswith("["):
        return code in SETTINGS
    if not re.match(r"caraway( |$)", code):
        return None
    words = code.split()[1:]
    option = words.pop() if words and words[-1].startswith("-") else "--help"
    try:
        return option in {"--help", *options_at(words)}
    except LookupError:
        return False


def own_name(row: Said) -> str:
    """What a name is here if it is the same."""
    ways = {"settings": "Caraway({}=)", "task_options": "@app.task({}=)", "call_options": "apply_async({}=)"}
    return row.name.replace("celery", "caraway", 1) if row.kind == "commands" else ways[row.kind].format(row.name)


def codes(row: Said) -> list[str]:
    return re.findall(r"`([^`]+)`", row.here)


def test_what_is_named_here_is_there() -> None:
    assert [(row.name, code) for row in SAID for code in codes(row) if is_there(code) is False] == []


def test_what_is_renamed_is_told() -> None:
    renamed = [row for row in SAID if row.word == "renamed"]
    assert [row.name for row in renamed if not any(is_there(code) for code in codes(row))] == []


def test_what_is_the_same_is_there() -> None:
    there = {"same", "better"}
    assert [row.name for row in SAID if row.word in there and not is_there(own_name(row))] == []


def test_every_setting_of_celery_s_that_is_honoured_is_said_to_be_there() -> None:
    there = {row.name for row in SAID if row.kind == "settings" and row.word in {"same", "better"}}
    assert there == OPTIONS.keys() & set(NAMES["settings"])


def test_what_is_not_there_is_not() -> None:
    """Red where something has come: say so on the page. What is taken with a warning has no effect."""
    come = [own_name(row) for row in SAID if row.word == "not there" and is_there(own_name(row))]
    assert [code for code in come if "with a warning" not in _help(code)] == []


def _help(code: str) -> str:
    words = code.split()[1:]
    return options_at(words[:-1])[words[-1]].help or "" if words and words[-1].startswith("-") else ""

"""A JSON log's lines are JSON, whatever a record carries."""

import json
import logging
from typing import Any

import pytest

from caraway.monitor.json_log import JsonLines

ITSELF: list[Any] = []
ITSELF.append(ITSELF)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def line(message: object, **extra: object) -> dict[str, Any]:
    """What is written of a record."""
    record = logging.getLogger("tests").makeRecord("tests", logging.INFO, "", 0, message, (), None, extra=extra)
    read: dict[str, Any] = json.loads(JsonLines().format(record), parse_constant=refuse)
    return read


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "nan"),
        ([1.0, float("inf")], "[1.0, inf]"),
        ({("a", "b"): 1}, "{('a', 'b'): 1}"),
        (ITSELF, "[[...]]"),
    ],
)
def test_what_json_has_no_form_for_is_told_as_python_does(value: object, told: str) -> None:
    read = line("it said", value=value, count=3)
    assert (read["message"], read["value"], read["count"]) == ("it said", told, 3)


def test_a_message_may_be_an_object_with_any_keys() -> None:
    assert line({("a", 1): 2})["('a', 1)"] == 2

"""Whether an answer is what a case expects."""

import json
import re
from typing import Any

VALUES = frozenset({"result", "progress"})
"""Members that hold payload text."""


class MismatchError(AssertionError):
    """What differs, and where."""


def as_json(value: Any) -> str:
    """Write a value of a case as payload text: it stands there as its JSON, tags and all."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check(expected: Any, got: Any, where: str = "") -> None:
    """Objects must have the expected members, and may have more; values of tasks are exact. Raises MismatchError."""
    if expected == "<any>":
        _demand(got is not None, expected, got, where)
    elif expected == "<none>":
        _demand(got is None, expected, got, where)
    elif isinstance(expected, str) and len(expected) > 1 and expected[0] == expected[-1] == "/":
        _demand(isinstance(got, str) and re.search(expected[1:-1], got) is not None, expected, got, where)
    elif isinstance(expected, dict):
        _demand(isinstance(got, dict), expected, got, where)
        for name, value in expected.items():
            inside = f"{where}.{name}" if where else name
            if name in VALUES:
                check_value(value, got.get(name), inside)
            else:
                check(value, got.get(name), inside)
    elif isinstance(expected, list):
        _demand(isinstance(got, list) and len(got) == len(expected), expected, got, where)
        for place, value in enumerate(expected):
            check(value, got[place], f"{where}[{place}]")
    else:
        _demand(_same(expected, got), expected, got, where)


def check_value(expected: Any, text: Any, where: str) -> None:
    """A value's payload text must say exactly what is expected."""
    if expected == "<none>" or text is None:
        _demand(text is None and expected == "<none>", expected, text, where)
        return
    _demand(isinstance(text, str), "payload text", text, where)
    got = json.loads(text)
    if isinstance(expected, dict) and isinstance(got, dict) and "<any>" in expected.values():
        _demand(got.keys() == expected.keys(), expected, got, where)
        for name, value in expected.items():
            _demand(value == "<any>" or _same(value, got[name]), expected, got, where)
        return
    _demand(expected == "<any>" or _same(expected, got), expected, got, where)


def _same(expected: Any, got: Any) -> bool:
    """Equal, and of the same kind: 2 is not 2.0, nor True 1."""
    if type(expected) is not type(got):
        return False
    if isinstance(expected, dict):
        return expected.keys() == got.keys() and all(_same(value, got[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(got) and all(map(_same, expected, got))
    return bool(expected == got)


def _demand(holds: bool, expected: Any, got: Any, where: str) -> None:
    if not holds:
        raise MismatchError(f"{where or 'the answer'}: expected {expected!r}, got {got!r}")

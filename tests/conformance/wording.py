"""From what stands in a case to requests."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.matching import as_json

Json = dict[str, Any]

TIMEOUT = 15.0
"""Seconds that a case waits where it does not say."""

_NAME = re.compile(r"<([^<>]+)>")
_MARKS = frozenset({"any", "none"})


class Names:
    """What <NAME> stands for in a case."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __setitem__(self, name: str, value: str) -> None:
        self._known[name] = value

    def __getitem__(self, name: str) -> str:
        return self._known[name]

    def put_into(self, value: Any) -> Any:
        """Replace names in all texts of a value."""
        if isinstance(value, str):
            return _NAME.sub(self._meaning, value)
        if isinstance(value, list):
            return [self.put_into(member) for member in value]
        if isinstance(value, dict):
            return {key: self.put_into(member) for key, member in value.items()}
        return value

    def _meaning(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in _MARKS:
            return match[0]
        if name.startswith("in "):
            return (datetime.now(UTC) + timedelta(seconds=float(name[3:]))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if name.startswith("text "):
            return "x" * int(name[5:])
        assert name in self._known, f"the case uses <{name}>, which nothing has named"
        return self._known[name]


def members_of(do: str, given: Any, queue: str) -> Json:
    """The members of a client's request, as a case gives them; `queue` is for specs that name none."""
    match do:
        case "submit":
            return {"task": spec_of(given, queue)}
        case "submit_many":
            specs = [given["task"]] * given["times"] if isinstance(given, dict) else given
            return {"tasks": [spec_of(spec, queue) for spec in specs]}
        case "run":
            return {"task": spec_of(given, queue), "timeout": given.get("timeout", TIMEOUT)}
        case "canvas":
            made = {"canvas": canvas_of(given["canvas"], queue), "timeout": given.get("timeout", TIMEOUT)}
            return {**made, "on_error": spec_of(given["on_error"], queue)} if "on_error" in given else made
        case "wait" | "result":
            return {"timeout": TIMEOUT, **given}
        case "list":
            return {"page_size": 50, **given}
    return dict(given)


def spec_of(given: Json, queue: str) -> Json:
    """A spec with its values as payload text."""
    made = {"queue": queue, **{name: value for name, value in given.items() if name != "timeout"}}
    for name in ("args", "kwargs"):
        if name in made and not isinstance(made[name], str):
            made[name] = as_json(made[name])
    return made


def canvas_of(given: Json, queue: str) -> Json:
    """A canvas; what has a name is a task."""
    if "name" in given:
        return {"task": spec_of(given, queue)}
    ((kind, inner),) = given.items()
    if kind == "chord":
        header = [canvas_of(member, queue) for member in inner["header"]]
        return {"chord": {"header": header, "body": canvas_of(inner["body"], queue)}}
    return {kind: [canvas_of(member, queue) for member in inner]}

"""Writes docs/celery-names.md: every name of Celery's reference, and what stands for it here: `make names`.

Settings, options and commands stand in docs/migrating.md with all that is said of them, and are listed from there. A
name of a module is the same where `import caraway` has it under the same path, or at its top, a member where our class
has it; of all others docs/reasons.py says why not.
"""

import json
import sys
from collections.abc import Iterator, Set
from itertools import groupby
from pathlib import Path
from typing import Any

from caraway import Caraway, canvas
from caraway.control import Control
from caraway.eager_result import EagerResult
from caraway.migration.counterparts import counterpart
from caraway.request import Context
from docs.reasons import MEMBERS, MODULES, NAMED, Why
from docs.shipped_names import ATTRIBUTES, Said, rows_of, said

NAMES = json.loads(Path(__file__).with_name("celery_names.json").read_text())
PAGE = Path(__file__).resolve().parents[2] / "docs" / "celery-names.md"

_HEAD = """\
<!-- Written by `make names`; tests hold it to Celery's own lists of names and to the code. Do not edit it. -->

# Celery's names

All names that Celery 5.7.0 has in its reference, and what becomes of each: its settings, its options, its commands,
what its modules export, signals among them, and the members of its app, tasks, requests, results, signatures and of
`app.control`. `import celery` becomes `import caraway`, and `celery.x.y` is `caraway.x.y`.

| word | meaning |
|---|---|
| same | the same name and meaning |
| better | there, in another form, which is said |
| renamed | there, under another name or in another place |
| unneeded | there is nothing to do, or something else does it, which is said |
| later, not there | not in this version, and what to do instead where there is something |

[Migrating from Celery](migrating.md) has what a program has to do about them, and `caraway migrate-check` finds them in
a project.
"""
_CLASSES = {
    "Celery": "Celery, the app",
    "Context": "Context, which is `self.request`",
    "Control": "Control, which is `app.control`",
    "Inspect": "Inspect, which `app.control.inspect()` gives",
}
_TITLES = {
    "settings": "Settings",
    "task_options": "Options of tasks",
    "call_options": "Options of calls",
    "commands": "Commands",
}


def why(module: str, name: str) -> Why:
    """What is said of an exported name. Raises LookupError where nothing is."""
    said = NAMED.get(f"{module}.{name}") or NAMED.get(name)
    if said is None and counterpart(f"{module}.{name}") is not None:
        return "same", ""
    return said or MODULES[module]


def members_of(kind: str) -> set[str]:
    """What ours has of what is called so in celery_names.json."""
    app = Caraway("any", set_as_current=False)
    described: dict[str, Any] = {
        "Celery": app,
        "Task": app.task(name="any")(lambda: None),
        "Context": Context(),
        "AsyncResult": app.AsyncResult("any"),
        "ResultSet": app.ResultSet([]),
        "GroupResult": app.GroupResult("any", []),
        "EagerResult": EagerResult("any", 1, "SUCCESS"),
        "Control": Control,
        "Inspect": app.control.inspect(),
    }
    return set(dir(described[kind] if kind in described else getattr(canvas, kind)))


def why_member(kind: str, name: str, ours: Set[str]) -> Why:
    """What is said of a member; `ours` are those of our class. Raises StopIteration where nothing is."""
    told = MEMBERS.get(f"{kind}.{name}")
    if told is None and name in ours:
        return "same", ""
    return (
        told
        or MEMBERS.get(name)
        or next((row.word, row.here) for row in said() if (row.kind, row.name) == ("task_options", name))
    )


def _rows(names: Iterator[tuple[str, Why]]) -> Iterator[str]:
    for (status, here), group in groupby(names, key=lambda pair: pair[1]):
        yield f"| {', '.join(f'`{name}`' for name, _ in group)} | {status} | {here} |"


def _sorted(told: Iterator[tuple[str, Why]]) -> Iterator[tuple[str, Why]]:
    """Those that are the same first, then by what is said."""
    return iter(sorted(told, key=lambda pair: (pair[1][0] != "same", pair[1])))


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    table = "| Celery | | here |\n|---|---|---|\n"
    for kind, rows in groupby(said(), key=lambda row: row.kind):
        told = ((row.name, (row.word, row.here)) for row in rows)
        parts.append(f"## {_TITLES[kind]}\n\n{table}" + "\n".join(_rows(told)) + "\n")
    parts.append("## Modules\n")
    for module, names in NAMES["public_names"].items():
        told = ((name, why(module, name)) for name in names)
        parts.append(f"### {module}\n\n{table}" + "\n".join(_rows(_sorted(told))) + "\n")
    parts.append("## Members\n")
    for kind, names in NAMES["members"].items():
        ours = members_of(kind)
        told = ((name, why_member(kind, name, ours)) for name in names)
        parts.append(f"### {_CLASSES.get(kind, kind)}\n\n{table}" + "\n".join(_rows(_sorted(told))) + "\n")
    return "\n".join(parts)


def left_out() -> Iterator[Said]:
    """Names of modules, and members, that are not the same: what migrate-check says of each."""
    for module, names in NAMES["public_names"].items():
        if counterpart(module) is None:
            yield Said("names", module, *(MODULES.get(module) or why(module, names[0])))
        for name in names:
            word, here = why(module, name)
            if counterpart(f"{module}.{name}") is None:
                yield Said("names", f"{module}.{name}", word, here)
    for kind, described in ATTRIBUTES.items():
        ours = members_of(described)
        for name in NAMES["members"][described]:
            word, here = why_member(described, name, ours)
            if word != "same":
                yield Said("members", f"{kind}.{name}", word, here)


def shipped_left_out() -> str:
    """The same as its file has it."""
    return rows_of(left_out())


if __name__ == "__main__":
    sys.stdout.write({"page": page, "names": shipped_left_out}[sys.argv[1]]())

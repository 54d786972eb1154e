"""Writes the lists that migrate-check ships: `make names`.

names.json is made from the tables of docs/migrating.md, attributes.json from celery_names.json.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

NAMES = Path(__file__).with_name("celery_names.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "migrating.md"


@dataclass(frozen=True)
class Said:
    """What the page says of a name; `kind` is the list of names that it is in."""

    kind: str
    name: str
    word: str
    here: str


ATTRIBUTES = {"app": "Celery", "task": "Task", "request": "Context", "control": "Control", "inspect": "Inspect"}
"""What migrate-check calls it whose members celery_names.json has by Celery's name."""

KINDS = {"Settings": "settings", "Options of tasks": "task_options", "Options of calls": "call_options"}


def said() -> Iterator[Said]:
    """Every name of the tables, in order."""
    kind = command = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            kind = KINDS.get(line[3:], "commands" if line == "## Commands" else "")
        elif line.startswith("### celery"):
            command = line[4:]
        elif kind and line.startswith("| `"):
            first, word, here = (cell.strip() for cell in line.strip("|").split("|"))
            names = re.findall(r"`([^`]+)`", first)
            if names[0].startswith("celery") and any(name.startswith("-") for name in names):
                command = names.pop(0)
            for name in names:
                yield Said(kind, f"{command} {name}" if name.startswith("-") else name, word, here)


def shipped() -> str:
    """The list as its file has it: a line for names that have the same said of them."""
    return rows_of(said())


def rows_of(names: Iterator[Said]) -> str:
    """Names as such a file has them."""
    rows = [
        {
            "kind": kind.replace("_", " ").removesuffix("s"),
            "names": [row.name for row in rows],
            "status": word,
            "here": here,
        }
        for (kind, word, here), rows in groupby(names, key=lambda row: (row.kind, row.word, row.here))
    ]
    return "[\n" + ",\n".join(f" {json.dumps(row, ensure_ascii=False)}" for row in rows) + "\n]\n"


def attributes() -> str:
    """What Celery's apps, tasks, requests, `app.control` and `inspect()` have, as the file has it: a line for each."""
    members = json.loads(NAMES.read_text())["members"]
    return "{\n" + ",\n".join(f' "{kind}": {json.dumps(members[name])}' for kind, name in ATTRIBUTES.items()) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write({"names": shipped, "attributes": attributes}[sys.argv[1]]())

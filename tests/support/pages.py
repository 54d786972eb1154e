"""Pages of documentation, read for what they tell the reader to type."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
ADDRESS = "localhost:50051"
"""The gateway, as pages name it."""

_VARIES = [
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
    (r'"(lease_token|fence|worker_id|revision)": "[^"]*"', r'"\1": "<its>"'),
]


@dataclass(frozen=True)
class Step:
    """A command of a console block, and what the page says that it writes."""

    command: str
    shown: str


class Page:
    """One page, by its path in the checkout."""

    def __init__(self, path: str) -> None:
        self.text = (CHECKOUT / path).read_text()

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, flags=re.DOTALL | re.MULTILINE)

    def commands(self, start: str) -> list[str]:
        """The commands of its sh blocks that start with these words, without comments."""
        lines = [line.split(" # ")[0].strip() for block in self.blocks("sh") for line in block.splitlines()]
        return [line for line in lines if line.startswith(start)]

    def write_files(self, folder: Path) -> None:
        """Write the Python blocks that begin with a file's name, as `# tasks.py`."""
        for block in self.blocks("python"):
            named = re.match(r"# (\w+\.py)\n", block)
            if named is not None:
                (folder / named[1]).write_text(block)

    @property
    def steps(self) -> list[Step]:
        """What its console blocks type, in order. A command goes on in the lines below it that are indented."""
        found = []
        for block in self.blocks("console"):
            for command, shown in re.findall(r"^\$ (.*(?:\n    .*)*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE):
                found.append(Step(command, shown))
        return found


def run(step: Step, target: str, folder: Path, env: dict[str, str]) -> str:
    """Type a command, with the real gateway's address; gives all that it writes."""
    ended = subprocess.run(
        ["bash", "-c", step.command.replace(ADDRESS, target)], cwd=folder, env=env, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return ended.stdout


def comparable(output: str) -> Any:
    """Give output in a form that is equal for equal outputs: what varies is blotted out, JSON is read."""
    for pattern, instead in _VARIES:
        output = re.sub(pattern, instead, output)
    documents, rest = [], output.strip()
    while rest:
        try:
            document, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return [line.rstrip() for line in output.strip().splitlines()]
        documents.append(document)
        rest = rest[end:].lstrip()
    return documents

"""Source: a file of Python, its tree, what its names stand for, and edits that leave all else as it is."""

import ast
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from caraway.migration.finding import Finding, Level

__all__ = ["Edit", "Source", "is_celery", "is_gateway", "text_of"]


_BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Source:
    """A module, parsed. Raises SyntaxError for what is no Python."""

    def __init__(self, path: str, text: str) -> None:
        """`path` is shown in findings."""
        self.path = path
        self.mark = text[: text.startswith(_BYTE_ORDER_MARK)]
        self.text = text.removeprefix(_BYTE_ORDER_MARK)
        self.tree = ast.parse(self.text)
        # The lines that Python counts: str.splitlines ends some at form feeds, too.
        self._lines = list(io.StringIO(self.text, newline=""))
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self.bindings = dict(_bindings(self.tree))

    def offset(self, line: int, column: int) -> int:
        """The character that a node's position means; columns of nodes count bytes of UTF-8."""
        before = self._lines[line - 1].encode()[:column].decode() if line <= len(self._lines) else ""
        return self._starts[line - 1] + len(before)

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """Where a node begins and ends."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def resolve(self, node: ast.expr) -> str | None:
        """Celery's full name of what an expression names; None if it is not known to be Celery's."""
        if isinstance(node, ast.Name):
            return self.bindings.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            return f"{base}.{node.attr}" if base else None
        return None

    def finding(
        self, node: ast.expr | ast.stmt | ast.alias | ast.keyword, level: Level, name: str, text: str
    ) -> Finding:
        """Make a finding at a node."""
        column = self.offset(node.lineno, node.col_offset) - self._starts[node.lineno - 1] + 1
        return Finding(self.path, node.lineno, column, level, name, text)

    def edited(self, edits: list[Edit]) -> str:
        """The text with edits, which do not overlap."""
        text = self.text
        for edit in sorted(set(edits), reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return self.mark + text


def text_of(node: ast.expr | None) -> str:
    """Give a text that stands in the source as such; of anything else, the empty one."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_gateway(url: ast.expr | None) -> bool:
    """Whether an address is a gateway's already."""
    return text_of(url).startswith(("grpc://", "grpcs://"))


def is_celery(module: str | None) -> bool:
    """Whether a module is of the package celery."""
    return module is not None and (module == "celery" or module.startswith("celery."))


def _bindings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of modules and what is in them, as Celery calls them; caraway's too, so that a moved program is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                if top in ("celery", "caraway"):
                    yield (alias.asname, f"celery.{rest}".rstrip(".")) if alias.asname else (top, "celery")
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            top, _, rest = node.module.partition(".")
            if top in ("celery", "caraway"):
                for alias in node.names:
                    yield alias.asname or alias.name, ".".join(filter(None, ("celery", rest, alias.name)))

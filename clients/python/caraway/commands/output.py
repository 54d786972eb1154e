"""How commands write: JSON for programs; for people tables, by rich on a terminal where it is installed."""

import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from caraway.commands.progress import progress

__all__ = ["Output", "printable"]

T = TypeVar("T")


def printable(value: object) -> str:
    """Give a value as text of one line that can't steer a terminal: what tasks say of themselves is anyone's words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(printable(member) for member in value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class Output:
    """Writes answers to stdout, in the form that was asked for, and remarks to stderr."""

    def __init__(self, as_json: bool) -> None:
        """`as_json` is the option --json."""
        self.as_json = as_json

    def line(self, text: str, document: Any) -> None:
        """Write one line of text, or one object."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            click.echo(printable(text))

    def remark(self, text: str) -> None:
        """Write what is not part of the answer."""
        click.echo(printable(text), err=True)

    def error(self, text: str) -> None:
        """Write why the exit code will not be 0, for one item of several."""
        self.remark(f"Error: {text}")

    def in_steps(self, label: str, pages: Iterable[Sequence[T]], total: int | None = None) -> Iterator[Sequence[T]]:
        """Go through pages, of `total` items in all, with a bar where what is written meanwhile leaves room for one."""
        with progress(label, total, writes=True) as advance:
            for page in pages:
                yield page
                advance(len(page))

    def block(self, text: str) -> None:
        """Write text of many lines, people's form only."""
        if not self.as_json:
            click.echo("\n".join(printable(line) for line in text.splitlines()))

    def facts(self, document: Mapping[str, Any]) -> None:
        """Write one thing: a fact a line, or one document. Facts that are not there are left out of the text."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
            return
        shown = {name: printable(value) for name, value in document.items() if value not in (None, "", [])}
        width = max((len(name) for name in shown), default=0)
        for name, text in shown.items():
            click.echo(f"{name:<{width}}  {text}")

    def table(self, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write many things: a table of these columns, or one object a line with all that is known."""
        if self.as_json:
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
            return
        cells = [[printable(row.get(column)) for column in columns] for row in rows]
        titles = [column.upper() for column in columns]
        if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
            _rich_table(titles, cells)
            return
        widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
        for line in (titles, *cells):
            click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _rich_table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    # Here and not above: it may not be there, and takes longer to load than most commands to run.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for line in cells:
        # As Text: in plain strings rich would read brackets as markup.
        table.add_row(*map(Text, line))
    Console().print(table)

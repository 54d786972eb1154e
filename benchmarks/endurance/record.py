"""Keeps what was measured in benchmarks/ENDURANCE.md: a section a program."""

from pathlib import Path

from benchmarks.report import conditions

FILE = Path(__file__).resolve().parent.parent / "ENDURANCE.md"
HEAD = "# Endurance\n\nWritten by `make restarts`, `make million` and `make soak`; each replaces its own section.\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Make a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, tuple("---" for _ in head), *rows))


def keep(title: str, text: str) -> None:
    """Write a section, or replace it, and print it."""
    section = f"## {title}\n\n{conditions().removesuffix('; median of the rounds')}\n\n{text}\n"
    print(f"\n{section}")
    old = FILE.read_text() if FILE.exists() else HEAD
    before, _, rest = old.partition(f"\n## {title}\n")
    _, mark, after = rest.partition("\n## ")
    FILE.write_text(f"{before.rstrip()}\n\n{section}" + (f"\n## {after}" if mark else ""))

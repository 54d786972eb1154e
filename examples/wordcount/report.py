"""Prints the words and the rate."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from wordcount.counting import Total

SHOWN = 20


def commonest(words: Counter[str]) -> list[tuple[str, int]]:
    """Give the 20 commonest words; those of one count by the alphabet."""
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


def print_words(console: Console, total: Total) -> None:
    """Print the commonest words with their counts."""
    console.print(f"\nThe {SHOWN} commonest of {total.words.total():,} words:")
    table = Table()
    table.add_column("word", overflow="fold")
    table.add_column("count", justify="right")
    for word, count in commonest(total.words):
        table.add_row(word, str(count))
    console.print(table)


def print_rate(console: Console, total: Total) -> None:
    """Print how fast the files were counted, from the first submit to the last task's end."""
    megabytes = total.bytes / 1e6
    console.print(
        f"Rate: {total.tasks} files ({megabytes:.2f} MB) in {total.seconds:.3f} s: "
        f"{total.tasks / total.seconds:,.0f} tasks/s, {megabytes / total.seconds:,.1f} MB/s"
    )

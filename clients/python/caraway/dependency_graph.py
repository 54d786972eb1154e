"""DependencyGraph: results, and which of them come after which."""

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

__all__ = ["DependencyGraph"]


class DependencyGraph:
    """Results in the order in which they were found, each with those that come after it."""

    def __init__(self) -> None:
        """Empty."""
        self.adjacent: dict[Any, list[Any]] = {}

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, Any]]) -> "DependencyGraph":
        """Make the graph of pairs of a result (or None) and one that comes after it."""
        made = cls()
        for parent, result in pairs:
            made.adjacent.setdefault(result, [])
            if parent is not None:
                made.adjacent.setdefault(parent, []).append(result)
        return made

    def __iter__(self) -> Iterator[Any]:
        """Give the results."""
        return iter(self.adjacent)

    def __len__(self) -> int:
        """How many results it has."""
        return len(self.adjacent)

    def __contains__(self, result: object) -> bool:
        """Whether it has this result."""
        return result in self.adjacent

    def __getitem__(self, result: Any) -> list[Any]:
        """Give those that come after it."""
        return self.adjacent[result]

    def __repr__(self) -> str:
        """One line a result: its id, and in brackets those that come after."""
        return "\n".join(
            f"{result.id}({len(after)})" + "".join(f"\n     {each.id}({len(self.adjacent[each])})" for each in after)
            for result, after in self.adjacent.items()
        )

    def edges(self) -> list[tuple[Any, Any]]:
        """List the pairs."""
        return [(result, each) for result, after in self.adjacent.items() for each in after]

    def to_dot(self, file: TextIO) -> None:
        """Write it in Graphviz's language."""
        file.write("digraph results {\n")
        for result in self.adjacent:
            file.write(f'    "{result.id}";\n')
        for result, after in self.edges():
            file.write(f'    "{result.id}" -> "{after.id}";\n')
        file.write("}\n")

"""A StampingVisitor goes through a canvas and says what each task is stamped with.

You should see:
    [{'place': ['1 of tasks.stamps']}, {'in_a_group': [True], 'place': ['2 of tasks.stamps']}]
"""

from collections.abc import Mapping
from typing import Any

from tasks import stamps

from caraway import Signature, group
from caraway.canvas import StampingVisitor


class Numbering(StampingVisitor):
    """Stamps tasks with their places, and those of groups with that too."""

    def __init__(self) -> None:
        """Begin at 1."""
        self.count = 0

    def on_signature(self, sig: Signature, **headers: Any) -> Mapping[str, Any]:
        """Stamp a task."""
        self.count += 1
        return {"place": f"{self.count} of {sig.task}"}

    def on_group_start(self, group: Signature, **headers: Any) -> Mapping[str, Any]:
        """Stamp all tasks of a group."""
        return {"in_a_group": True}


visitor = Numbering()
first = stamps.si().stamp(visitor).delay()
second = group(stamps.si(), stamps.si()).stamp(visitor)()
print([first.get(timeout=30), second.get(timeout=30)[0]])

"""Callbacks and errbacks are stamped with their task, and by a visitor's own methods for them.

You should see:
    the task: {'order': [17]}
    its callback: {'is_callback': [True], 'order': [17]}
"""

from collections.abc import Mapping
from typing import Any

from tasks import stamps

from caraway import Signature
from caraway.canvas import StampingVisitor


class Marking(StampingVisitor):
    """Stamps all with the order, and callbacks with that too."""

    def on_signature(self, sig: Signature, **headers: Any) -> Mapping[str, Any]:
        """Stamp a task."""
        return {"order": 17}

    def on_callback(self, callback: Signature, **header: Any) -> Mapping[str, Any]:
        """Stamp a callback."""
        return {"is_callback": True}


linked = stamps.s()
linked.link(stamps.s())
result = linked.stamp(Marking()).delay()
print("the task:", result.get(timeout=30))
print("its callback:", result.children[0].get(timeout=30))

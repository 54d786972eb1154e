"""xmap, xstarmap and chunks: one task for many calls."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from caraway.canvas.composite import Composite
from caraway.canvas.group import group
from caraway.canvas.sender import Sender
from caraway.canvas.signature import Signature, maybe_signature
from caraway.group_result import GroupResult
from caraway.hiding import MASK
from caraway.spec import CallOptions

__all__ = ["chunks", "xmap", "xstarmap"]


class _Mapped(Signature):
    TASK: ClassVar[str]
    ARGUMENT: ClassVar[str]

    def __init__(self, task: Any, it: Iterable[Any], *, app: Sender | None = None, **options: Any) -> None:
        """`task` is a task or a signature of it, `it` the arguments, one for each call."""
        called = task if isinstance(task, Mapping) else task.s()
        kwargs = {"task": called, "it": list(it)}
        super().__init__(self.TASK, (), kwargs, options, app=app or getattr(called, "_app", None), immutable=True)

    def shown(self, module: str = "", first: str = "") -> str:
        """As Celery prints it: [proj.add(x) for x in [1, 2]]."""
        name = self.kwargs["task"]["task"]
        hides = self._app is not None and self._app.hiding_of(name) is not None
        items = f"[{MASK}]" if hides else repr(self.kwargs["it"])
        return f"[{name}({self.ARGUMENT}) for x in {items}]"


class xmap(_Mapped):
    """One task that calls another for each item, one after the other; its result is the list of theirs."""

    TASK = "caraway.map"
    ARGUMENT = "x"


class xstarmap(_Mapped):
    """As xmap, with each item as the call's positional arguments."""

    TASK = "caraway.starmap"
    ARGUMENT = "*x"


class chunks(Composite[GroupResult]):
    """Calls cut into parts of `n`, each of them one task; its result is the list of the parts' lists."""

    kind: ClassVar[str | None] = "chunks"

    def __init__(self, task: Any, it: Iterable[Any], n: int, *, app: Sender | None = None, **options: Any) -> None:
        """`task` is a task or a signature of it, `it` gives the positional arguments of each call."""
        if n < 1:
            raise ValueError(f"a chunk holds at least one call, not {n!r}")
        called = task if isinstance(task, Mapping) else task.s()
        kwargs = {"task": called, "it": list(it), "n": n}
        app = app or getattr(called, "_app", None)
        super().__init__("caraway.chunks", (), kwargs, options, app=app, immutable=True)

    def expanded(self) -> Signature:
        """Give the group of its parts."""
        return self.group()

    def group(self) -> group:
        """Give the group of its parts."""
        task, items = maybe_signature(self.kwargs["task"], self._app), iter(self.kwargs["it"])
        parts = iter(lambda: list(itertools.islice(items, self.kwargs["n"])), [])
        return group([xstarmap(task, part, app=self._app) for part in parts], app=self._app, **self.options)

    def __call__(self, *args: Any, **options: Any) -> GroupResult:
        """Submit it."""
        return self.group().apply_async(args, None, **options)

    def plan(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: CallOptions
    ) -> Composite[Any]:
        """Give the group of its parts."""
        return self.group().plan(args, kwargs, options)

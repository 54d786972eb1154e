"""chain: tasks one after the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, Unpack, cast, overload

from typing_extensions import TypeVar

from caraway.canvas.chord import chord
from caraway.canvas.composite import Composite
from caraway.canvas.graph import Compiling, Flow
from caraway.canvas.group import checked, distinct, group, listed
from caraway.canvas.parts import members_of, taken
from caraway.canvas.sender import Sender
from caraway.canvas.signature import Signature
from caraway.spec import CallOptions

__all__ = ["chain"]

T = TypeVar("T", default=Any)
_Sig = Signature[Any]
_Last = Signature[T]


class chain(Composite[T]):
    """Tasks one after the other: each starts when the one before has succeeded, with its result as first argument.

    A chain in a chain is part of it; a group that something follows becomes a chord with it; an empty group falls out,
    and a group of one stands for its member, as in Celery. Its options are those of its first task, but callbacks,
    which are its last one's, and errbacks, which are those of all. Arguments given late are for its first task.

    Submitting it gives the result of its last task, with that of the one before as `parent`, and so on; a GroupResult
    where it ends with a group; None where it is empty.
    """

    kind: ClassVar[str | None] = "chain"

    # To a type checker it gives what its last task gives, where up to five tasks are written out, and no options.
    @overload
    def __init__(self, a: _Last[T], /, *, app: Sender | None = ...) -> None: ...
    @overload
    def __init__(self, a: _Sig, b: _Last[T], /, *, app: Sender | None = ...) -> None: ...
    @overload
    def __init__(self, a: _Sig, b: _Sig, c: _Last[T], /, *, app: Sender | None = ...) -> None: ...
    @overload
    def __init__(self, a: _Sig, b: _Sig, c: _Sig, d: _Last[T], /, *, app: Sender | None = ...) -> None: ...
    @overload
    def __init__(self, a: _Sig, b: _Sig, c: _Sig, d: _Sig, e: _Last[T], /, *, app: Sender | None = ...) -> None: ...
    @overload
    def __init__(self: "chain[Any]", *tasks: Any, app: Sender | None = ..., **options: Any) -> None: ...
    def __init__(self, *tasks: Any, app: Sender | None = None, **options: Any) -> None:
        """`tasks` are signatures, or one iterable of them."""
        steps = _flattened(members_of(tasks), app)
        app = app or next((step._app for step in steps if step._app is not None), None)
        super().__init__("caraway.chain", (), {"tasks": steps}, options, app=app)

    @classmethod
    def _of(cls, form: Mapping[str, Any]) -> Self:
        made = super()._of(form)
        app = getattr(form, "_app", None)
        made["kwargs"]["tasks"] = [Signature.from_dict(step, app) for step in made["kwargs"].get("tasks") or ()]
        return made

    @property
    def tasks(self) -> list[Signature]:
        """Its tasks, in order."""
        return cast(list[Signature], self["kwargs"]["tasks"])

    @property
    def is_empty(self) -> bool:
        """True if it has no task."""
        return not self.tasks

    @property
    def id(self) -> str | None:
        """That of its last task."""
        return self.tasks[-1].id if self.tasks else None

    @property
    def module(self) -> str:
        """That of its first task."""
        return self.tasks[0].module if self.tasks else ""

    def shown(self, module: str = "", first: str = "") -> str:
        """As Celery prints it: proj.add(2, 2) | mul(8)."""
        if not self.tasks:
            return "<chain: empty>"
        head = self.tasks[0].shown(module, first)
        return " | ".join([head, *listed(self.tasks[1:], module or self.module)])

    # Changing it

    def clone(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Self:
        """Copy it; `args` and `kwargs` are for its first task."""
        made = self._copy(options)
        if made.tasks and (args or kwargs):
            made.tasks[0] = made.tasks[0].clone(args, kwargs)
        return made

    def set_immutable(self, immutable: bool) -> None:
        """Say whether its first task takes arguments from what is before it."""
        for step in self.tasks[:1]:
            step.set_immutable(immutable)

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        """Submit it."""
        return self.apply_async(args, kwargs)

    # Compiling

    def settle(self) -> None:
        """Hand its options on to its tasks."""
        options, callbacks, errbacks = taken(self.options)
        self["kwargs"]["tasks"] = list(distinct(self.tasks))
        for place, step in enumerate(self.tasks):
            last = place == len(self.tasks) - 1
            step.hand_down(options if place == 0 else {}, callbacks if last else (), errbacks)
            step.settle()

    def identify(self, task_id: str | None = None) -> None:
        """Choose the ids of its tasks; `task_id` is that of the last."""
        self.settle()
        last = task_id or self.options.get("task_id")
        for step in self.tasks[:-1]:
            step.identify()
        for step in self.tasks[-1:]:
            step.identify(last)

    def pending(self, parent: Any) -> Any:
        """Give its last task's result to come, which has that of the one before as parent."""
        for step in self.tasks:
            parent = step.pending(parent)
        return parent

    def compile(self, flow: Flow = Flow()) -> Compiling:  # noqa: B008 - it is frozen
        """Give the nodes of its tasks, each after the one before."""
        belongs = flow.group
        for place, step in enumerate(self.tasks):
            last = place == len(self.tasks) - 1
            flow = yield from step.compile(replace(flow, group=belongs if last else ""))
        return flow


def _flattened(steps: Iterable[Any], app: Sender | None) -> list[Signature]:
    flat: list[Signature] = []
    for each in steps:
        step: Signature | None = checked(each, app)
        if isinstance(step, group):
            step = step.unrolled()
        elif step is not None:
            step = step.expanded()
        if isinstance(step, chain):
            if step.options:
                step = step.clone()
                step.settle()
            parts = step.tasks
        else:
            parts = [] if step is None else [step]
        for part in parts:
            if flat and isinstance(flat[-1], group):
                # What follows a group takes the results of all of it.
                flat[-1] = chord(flat[-1], part, app=app)
            else:
                flat.append(part)
    return flat

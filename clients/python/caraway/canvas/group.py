"""group: tasks side by side."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NoReturn, Self, TypeVar, Unpack, cast

from caraway.canvas.composite import Composite
from caraway.canvas.graph import Compiling, Edge, Flow, Node, Pass
from caraway.canvas.parts import members_of, taken
from caraway.canvas.sender import Sender
from caraway.canvas.signature import Signature, maybe_signature
from caraway.group_result import GroupResult
from caraway.ids import uuid7
from caraway.spec import CallOptions

__all__ = ["group"]

S = TypeVar("S", bound=Mapping[str, Any])


class group(Composite[GroupResult]):
    """Tasks side by side. Its result is a GroupResult, whose value is the list of theirs, in order.

    Groups in a group are part of it. Tasks that come from a generator are sent as they come, and are not kept: such a
    group can be sent once. Its options are those of each of its tasks.
    """

    kind: ClassVar[str | None] = "group"

    def __init__(self, *tasks: Any, app: Sender | None = None, **options: Any) -> None:
        """`tasks` are signatures, or one iterable of them."""
        members = members_of(tasks)
        if isinstance(members, group):
            members = members["kwargs"]["tasks"]
        if not isinstance(members, Iterator):
            members = [checked(member, app) for member in members]
            if len(members) == 1 and isinstance(members[0].expanded(), group):
                members = members[0].expanded()["kwargs"]["tasks"]
            app = app or next((member._app for member in members if member._app is not None), None)
        super().__init__("caraway.group", (), {"tasks": members}, options, app=app)

    @classmethod
    def _of(cls, form: Mapping[str, Any]) -> Self:
        made = super()._of(form)
        members = made["kwargs"].get("tasks") or ()
        if isinstance(members, Iterator):
            form["kwargs"]["tasks"] = _spent()
        else:
            app = getattr(form, "_app", None)
            made["kwargs"]["tasks"] = [Signature.from_dict(member, app) for member in members]
        return made

    @property
    def app(self) -> Sender:
        """The app that it is sent by: that of its first task, where none was named."""
        if self._app is None and self.is_lazy:
            members = self["kwargs"]["tasks"]
            first = list(itertools.islice(members, 1))
            self["kwargs"]["tasks"] = itertools.chain(first, members)
            self._app = next((checked(member, None)._app for member in first), None)
        return super().app

    @property
    def is_lazy(self) -> bool:
        """True while its tasks come from a generator."""
        return isinstance(self["kwargs"]["tasks"], Iterator)

    @property
    def tasks(self) -> list[Signature]:
        """Its tasks, in order. Takes all that a generator gives."""
        if self.is_lazy:
            self["kwargs"]["tasks"] = [checked(member, self._app) for member in self["kwargs"]["tasks"]]
        return cast(list[Signature], self["kwargs"]["tasks"])

    @property
    def module(self) -> str:
        """That of its first task."""
        return "" if self.is_lazy or not self.tasks else self.tasks[0].module

    def shown(self, module: str = "", first: str = "") -> str:
        """As Celery prints it: group((proj.add(2, 2), add(4)))."""
        if self.is_lazy:
            return "group(<generator>)"
        if not self.tasks:
            return "group(<empty>)"
        text = ", ".join(listed(self.tasks, module))
        return f"group(({text}))" if len(self.tasks) > 1 else f"group([{text}])"

    def unrolled(self) -> Signature | None:
        """Give what it stands for in a chain: itself, its only task, or None if it is empty."""
        if self.is_lazy:
            members = self["kwargs"]["tasks"]
            first = list(itertools.islice(members, 2))
            self["kwargs"]["tasks"] = itertools.chain(first, members) if len(first) > 1 else first
        if self.is_lazy or len(self.tasks) > 1:
            return self
        if not self.tasks:
            return None
        self.settle()
        only = self.tasks[0]
        return only.unrolled() if isinstance(only, group) else only

    # Changing it

    def clone(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Self:
        """Copy it; `args` and `kwargs` are for each of its tasks."""
        made = self._copy(options)
        if args or kwargs:
            members = made["kwargs"]["tasks"]
            bound = (checked(member, self._app).clone(args, kwargs) for member in members)
            made["kwargs"]["tasks"] = bound if isinstance(members, Iterator) else list(bound)
        return made

    def set_immutable(self, immutable: bool) -> None:
        """Say whether its tasks take arguments from what is before it."""
        for member in self.tasks:
            member.set_immutable(immutable)

    def link(self, callback: S) -> S:
        """Run `callback` after its first task has succeeded, without its result, as Celery does.

        What is to come after all of them, with their results, is a chord: `group | callback`.
        """
        for member in self.tasks[:1]:
            member.link(Signature.from_dict(callback).set(immutable=True))
        return callback

    def skew(self, start: float = 1.0, stop: float | None = None, step: float = 1.0) -> Self:
        """Set countdowns that grow from task to task: from `start` by `step`, to `stop` at most, in seconds."""
        countdown = start
        for member in self.tasks:
            member.set(countdown=countdown)
            if stop is None or countdown + step <= stop:
                countdown += step
        return self

    # Calling

    def __call__(self, *args: Any, **options: Any) -> GroupResult:
        """Submit it; `args` are for each of its tasks."""
        return self.apply_async(args, None, **options)

    def plan(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: CallOptions) -> "group":
        """Give the copy of it that is sent. Raises TypeError for callbacks and errbacks, of which a group has none."""
        if "link" in options:
            raise TypeError("a group has no one result to hand to a callback: use a chord, group(...) | callback")
        if "link_error" in options:
            raise TypeError(
                "a group's errbacks are set by link_error() or on_error(), and called for each task that fails"
            )
        return self.clone(args, kwargs, **options)

    # Compiling

    def settle(self) -> None:
        """Hand its options on to its tasks, and take those of groups in it as its own."""
        options, callbacks, errbacks = taken(self.options)
        held = self["kwargs"]["tasks"]
        members = self._flat(held, options, callbacks, errbacks)
        self["kwargs"]["tasks"] = members if self.is_lazy else list(distinct(members))

    def _flat(
        self, held: Iterable[Any], options: dict[str, Any], callbacks: list[Any], errbacks: list[Any]
    ) -> Iterator[Signature]:
        for each in held:
            member = checked(each, self._app)
            member.hand_down(options, callbacks, errbacks)
            member.settle()
            if isinstance(member, group):
                yield from member["kwargs"]["tasks"]
            elif not member.is_empty:
                yield member.expanded()

    def identify(self, task_id: str | None = None) -> None:
        """Choose its id, and those of its tasks as they come."""
        self.settle()
        options = cast(dict[str, Any], self.options)
        options["task_id"] = task_id or options.get("task_id") or uuid7()
        if self.is_lazy:
            self["kwargs"]["tasks"] = map(_identified, self["kwargs"]["tasks"])
        else:
            for member in self.tasks:
                member.identify()

    def pending(self, parent: Any) -> GroupResult:
        """Give its result to come; that of a generator's tasks grows as they are sent."""
        result = GroupResult(self.id, [], parent, self.app)
        recorded = _recorded(self["kwargs"]["tasks"], result)
        self["kwargs"]["tasks"] = recorded if self.is_lazy else list(recorded)
        return result

    def compile(self, flow: Flow = Flow()) -> Compiling:  # noqa: B008 - it is frozen
        """Give the nodes of its tasks, and a collect after them; an empty one is the value []."""
        inner = replace(flow, group=cast(str, self.id))
        edges: list[Edge] = []
        for member in self["kwargs"]["tasks"]:
            edges.extend((yield from member.compile(inner)).edges)
        if not edges:
            return Flow(tuple(replace(edge, passes=Pass.NOTHING) for edge in flow.edges), True, ([],))
        yield Node(cast(str, self.id), after=tuple(edges), group=flow.group)
        return Flow((Edge(cast(str, self.id)),), joined=True)


def checked(value: Any, app: Sender | None) -> Signature:
    """Give a signature, or the one that a dict form means. Raises TypeError for anything else."""
    made = maybe_signature(value, None if isinstance(value, Signature) else app)
    if not isinstance(made, Signature):
        raise TypeError(f"a canvas is made of signatures, not of {value!r:.200}")
    return made


def distinct(members: Iterable[Signature]) -> Iterator[Signature]:
    """Copy a signature that stands there twice: each is a task of its own."""
    seen: set[int] = set()
    for member in members:
        yield member.clone() if id(member) in seen else member
        seen.add(id(member))


def listed(signatures: Iterable[Signature], module: str = "") -> list[str]:
    """Show signatures one after the other, the module's name with the first of it only."""
    shown = []
    for each in signatures:
        shown.append(each.shown(module))
        module = module or each.module
    return shown


def _identified(member: Signature) -> Signature:
    member.identify()
    return member


def _recorded(members: Iterable[Signature], result: GroupResult) -> Iterator[Signature]:
    for member in members:
        result.results.append(member.pending(result.parent))
        yield member


def _spent() -> Iterator[NoReturn]:
    raise ValueError("the generator of this group's tasks is used up: make the group of a list to use it again")
    yield

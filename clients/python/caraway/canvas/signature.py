"""Signature: a call of a task that has not been made yet."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, Unpack, cast, overload

from typing_extensions import TypeVar

from caraway.async_result import AsyncResult
from caraway.canvas.graph import Compiling, Edge, Flow, Node, On, Pass
from caraway.canvas.linking import Linking
from caraway.canvas.parts import copied, linked
from caraway.canvas.sender import Sender
from caraway.current import current_app
from caraway.exceptions import NotRegistered
from caraway.ids import uuid7
from caraway.spec import CallOptions

__all__ = ["Signature", "maybe_signature", "signature"]

T = TypeVar("T", default=Any)
U = TypeVar("U")


class Signature(Linking, Generic[T]):
    """A task's name with arguments and options, to be sent later or passed on: a dict, as Celery's is.

    Its keys are "task", "args", "kwargs", "options", "subtask_type" and "immutable", and its values can be sent: a task
    that gets a signature as an argument gets a dict, of which `maybe_signature` makes a signature again.

    To a type checker it is a `Signature[what submitting it gives]`: of `add.s()` an AsyncResult[int], of a group a
    GroupResult, and of a chain what its last task gives.
    """

    KINDS: ClassVar[dict[str, type["Signature"]]] = {}
    """Its subclasses by subtask_type."""
    kind: ClassVar[str | None] = None
    """The subtask_type of this class."""
    stamper: ClassVar[Callable[..., None]]
    """`caraway.canvas.stamping.stamp`, which knows every kind of canvas."""

    def __init__(
        self,
        task: str | Mapping[str, Any] | Any,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        app: Sender | None = None,
        **more_options: Any,
    ) -> None:
        """`task` is a task or its name; or another signature or its dict form, which is copied.

        `app` is the one that it is sent by: by default the task's, or else the one that this process made last.
        """
        if isinstance(task, Mapping):
            super().__init__(copied(task))
        else:
            super().__init__(
                task=task if isinstance(task, str) else task.name,
                args=tuple(args or ()),
                kwargs=dict(kwargs or {}),
                options={**(options or {}), **more_options},
                subtask_type=self.kind,
                immutable=immutable,
            )
        self._app: Sender | None = app or getattr(task, "_app", None) or getattr(task, "app", None) or None

    def __init_subclass__(cls) -> None:
        """Let dicts of its kind be read."""
        if cls.kind is not None:
            Signature.KINDS[cls.kind] = cls

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], app: Sender | None = None) -> "Signature":
        """Make a signature of its dict form, of whatever kind that is. Raises ValueError for another dict."""
        if not isinstance(form.get("task"), str):
            raise ValueError(f"a signature's dict form has its task's name as 'task', and this has not: {form!r:.200}")
        kind = form.get("subtask_type")
        if kind is not None and kind not in Signature.KINDS:
            raise ValueError(f"no signature is of the kind {kind!r}; there are {', '.join(sorted(Signature.KINDS))}")
        made = (Signature.KINDS[kind] if kind is not None else Signature)._of(form)
        made._app = app or getattr(form, "_app", None)
        return made

    @classmethod
    def _of(cls, form: Mapping[str, Any]) -> Self:
        """Make one that holds what `form` holds; of signatures in it copies, of arguments the same."""
        made = cls.__new__(cls)
        dict.__init__(made, copied(form))
        made._app = None
        return made

    # What it holds

    @property
    def app(self) -> Sender:
        """The app that it is sent by. Raises ImproperlyConfigured where there is none."""
        return self._app if self._app is not None else cast(Sender, current_app())

    @property
    def type(self) -> Any:
        """The task itself. Raises NotRegistered in a program that does not know it."""
        return self.app.find_task(self.task)

    def shown(self, module: str = "", first: str = "") -> str:
        """Show it, without the name of `module`; `first` is shown before its arguments, of which some may be hidden."""
        hiding = None if self._app is None else self._app.hiding_of(self.task)
        if hiding is None:
            return super().shown(module, first)
        name = self.task.removeprefix(f"{module}.") if module else self.task
        before = f"{first}, " if first else ""
        args = hiding.args(self.args) if self.immutable else hiding.partial(self.args)
        return f"{name}({before}*{args}, **{hiding.kwargs(self.kwargs)})"

    def reprcall(self, *args: Any, **kwargs: Any) -> str:
        """Show it with more arguments, which go before its own, as in a call; nothing is changed."""
        return self.clone(args, kwargs).shown()

    def AsyncResult(self, task_id: str) -> AsyncResult[Any]:
        """The result of the task with this id, of the class that its task's results are."""
        try:
            kind: Any = self.type.result_class
        except NotRegistered:
            kind = AsyncResult
        return kind(task_id, self.app)  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy what it holds; the app is the same."""
        made = self._of(copy.deepcopy(dict(self), memo))
        made._app = self._app
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its dict form: the app stays here."""
        return Signature.from_dict, (dict(self),)

    # Changing it

    def clone(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Self:
        """Copy it; `args` go before its own, `kwargs` and `options` over its own."""
        made = self._copy(options)
        made["args"], made["kwargs"], made["options"] = self._merge(args, kwargs, options)
        return made

    partial = clone

    def _copy(self, options: CallOptions) -> Self:
        made = self._of(self)
        made._app = self._app
        made["options"].update(options)
        return made

    def _merge(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: CallOptions
    ) -> tuple[tuple[Any, ...], dict[str, Any], CallOptions]:
        merged = cast(CallOptions, {**self.options, **options})
        if self.immutable:
            return self.args, dict(self.kwargs), merged
        return (*(args or ()), *self.args), {**self.kwargs, **(kwargs or {})}, merged

    def set(self, *, immutable: bool | None = None, **options: Unpack[CallOptions]) -> Self:
        """Change options in place; returns itself."""
        if immutable is not None:
            self.set_immutable(immutable)
        cast(dict[str, Any], self.options).update(options)
        return self

    def set_immutable(self, immutable: bool) -> None:
        """Say whether later arguments are left out."""
        self["immutable"] = immutable

    def replace(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
    ) -> Self:
        """Copy it with other arguments or options instead of its own."""
        made = self.clone()
        if args is not None:
            made["args"] = tuple(args)
        if kwargs is not None:
            made["kwargs"] = dict(kwargs)
        if options is not None:
            made["options"] = dict(options)
        return made

    def flatten_links(self) -> list["Signature"]:
        """List it and all that is linked to its success, and to theirs, and so on."""
        found: list[Signature] = [self]
        for member in found:
            found.extend(cast(Signature, maybe_signature(each, self._app)) for each in linked(member.options, "link"))
        return found

    def stamp(self, visitor: Any = None, append_stamps: bool = False, **stamps: Any) -> Self:
        """Put stamps on all its tasks, and on what is linked to them: those named here, and those that `visitor` says.

        A stamp that a task has already is replaced, or with `append_stamps` gets the new values beside its own. Returns
        itself. Tasks read theirs as `self.request.stamps`.
        """
        self.stamper(self, visitor, append_stamps, stamps)
        return self

    # Joining

    @overload  # type: ignore[override]
    def __or__(self, other: "Signature[U]") -> "Signature[U]": ...
    @overload
    def __or__(self, other: Any) -> "Signature": ...
    def __or__(self, other: Any) -> "Signature":
        """Give the chain of both: `other` runs after it, with its result as first argument."""
        return _joined(self, other)

    def __ror__(self, other: Any) -> "Signature":  # type: ignore[override]
        """Join a signature's dict form with it."""
        if not isinstance(other, Mapping):
            return NotImplemented
        return _joined(Signature.from_dict(other, self._app), self)

    @overload  # type: ignore[override]
    def __ior__(self, other: "Signature[U]") -> "Signature[U]": ...
    @overload
    def __ior__(self, other: Any) -> "Signature": ...
    def __ior__(self, other: Any) -> "Signature":  # type: ignore[misc]  # it is as __or__ is, overload by overload
        """`s |= t` is `s = s | t`, and no union of dicts."""
        return _joined(self, other)

    def __invert__(self) -> Any:
        """Send it and wait for its result."""
        return cast(Any, self.apply_async()).get()

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run its task here and now, as any function, without a result object."""
        made = self.clone(args, kwargs)
        return self.type(*made.args, **made.kwargs)

    def delay(self, *args: Any, **kwargs: Any) -> T:
        """Submit it; `args` go before its own, as in Celery."""
        return self.apply_async(args, kwargs)

    async def adelay(self, *args: Any, **kwargs: Any) -> T:
        """Async twin of `delay`."""
        return await self.aapply_async(args, kwargs)

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> T:
        """Submit it; `args` go before its own, `kwargs` and `options` over its own. Raises as `Task.delay`."""
        all_args, all_kwargs, all_options = self._merge(args, kwargs, options)
        return cast(T, self.app.send_task(self.task, all_args, all_kwargs, **all_options))

    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> T:
        """Async twin of `apply_async`."""
        all_args, all_kwargs, all_options = self._merge(args, kwargs, options)
        return cast(T, await self.app.asend_task(self.task, all_args, all_kwargs, **all_options))

    def apply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Run it here and now, without a gateway, with what is linked to it. Returns an EagerResult."""
        return self.app.apply(self.clone(args, kwargs, **options))

    # Compiling

    def freeze(self, task_id: str | None = None) -> Any:
        """Choose its id now, so that it is known before it is sent. Returns its result to come."""
        self.identify(task_id)
        return self.pending(None)

    @property
    def is_empty(self) -> bool:
        """True if it has no task to run."""
        return False

    def expanded(self) -> "Signature":
        """Give what it stands for: chunks are the group of their parts."""
        return self

    def settle(self) -> None:
        """Hand the options of a canvas on to its tasks; a lone one has nobody to hand them to."""

    def hand_down(
        self, options: Mapping[str, Any], callbacks: Iterable[Any] = (), errbacks: Iterable[Any] = ()
    ) -> None:
        """Take the options, callbacks and errbacks of the canvas that it is part of."""
        self.set(**cast(CallOptions, options))
        for callback in callbacks:
            self.append_to_list_option("link", callback)
        for errback in errbacks:
            # Each of several tasks may call it: an id that was chosen for it can't be all of theirs.
            copied = Signature.from_dict(errback, self._app)
            cast(dict[str, Any], copied.options).pop("task_id", None)
            self.append_to_list_option("link_error", copied)

    def identify(self, task_id: str | None = None) -> None:
        """Choose the ids of all in it that have none; `task_id` is for its last task, or the group it ends with."""
        options = cast(dict[str, Any], self.options)
        options["task_id"] = task_id or options.get("task_id") or uuid7()

    def pending(self, parent: Any) -> Any:
        """Give the result to come of a frozen canvas; `parent` is that of what comes before it."""
        return AsyncResult(cast(str, self.id), self.app, parent)

    def compile(self, flow: Flow = Flow()) -> Compiling:  # noqa: B008 - it is frozen
        """Give the nodes of a frozen canvas, those of its callbacks and errbacks too."""
        options = dict(self.options)
        links, errbacks = linked(options, "link"), linked(options, "link_error")
        id = cast(str, self.id)
        args, edges = self.args, flow.edges
        if self.immutable:
            edges = tuple(Edge(edge.source, edge.on, Pass.NOTHING) for edge in edges)
        else:
            args = (*flow.values, *args)
        for option in ("link", "link_error", "task_id"):
            options.pop(option, None)
        yield Node(id, self.task, args, self.kwargs, options, edges, flow.group)
        # A chord's body that can't run, as its header failed, has failed: its errbacks are told.
        failure = On.FAILURE if flow.joined else On.OWN_FAILURE
        yield from self._linked(links, Edge(id))
        yield from self._linked(errbacks, Edge(id, failure))
        return Flow((Edge(id),))

    def _linked(self, signatures: Iterable[Any], edge: Edge) -> Iterator[Node]:
        for each in signatures:
            follower = Signature.from_dict(each, self._app).expanded()
            follower.identify()
            yield from follower.compile(Flow((edge,)))


def signature(
    task: str | Mapping[str, Any] | Any,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    immutable: bool = False,
    app: Sender | None = None,
    **options: Any,
) -> Signature:
    """Make a signature of a task, of its name, or of a signature's dict form."""
    if isinstance(task, Mapping):
        return Signature.from_dict(task, app)
    return Signature(task, args, kwargs, options, immutable=immutable, app=app)


def maybe_signature(value: Any, app: Sender | None = None, clone: bool = False) -> Any:
    """Make a signature of its dict form; gives a signature (copied, if `clone`), and any other value, as it is."""
    if isinstance(value, Signature):
        made = value.clone() if clone else value
        if app is not None:
            made._app = app
        return made
    return Signature.from_dict(value, app) if isinstance(value, Mapping) else value


def _joined(left: Signature, right: Any) -> Signature:
    if not isinstance(right, Mapping):
        return NotImplemented  # type: ignore[no-any-return]
    # A group of one stands for its member in a chain, but not where a task is to take the results of a group.
    join: Callable[..., Signature] = Signature.KINDS["chord" if left.kind == "group" else "chain"]
    return join(left, right, app=left._app)

"""chord: a task that takes the results of a group."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, Unpack, cast, overload

from typing_extensions import TypeVar

from caraway.canvas.composite import Composite
from caraway.canvas.graph import Compiling, Flow
from caraway.canvas.group import checked, group, listed
from caraway.canvas.parts import taken
from caraway.canvas.sender import Sender
from caraway.canvas.signature import Signature
from caraway.spec import CallOptions

__all__ = ["chord"]

S = TypeVar("S", bound=Mapping[str, Any])
T = TypeVar("T", default=Any)
U = TypeVar("U")


class chord(Composite[T]):
    """A group, its header, and a body that runs once all of it has succeeded, with the list of its results as first
    argument.

    When one of the header fails the body fails too, and its errbacks are called. Callbacks and errbacks of a chord are
    its body's; its other options are those of all its tasks, but a countdown or an eta, which are the header's.
    Arguments given late are for each task of the header. Submitting it gives the result of its body, with that of its
    header as parent.
    """

    kind: ClassVar[str | None] = "chord"

    @overload
    def __init__(self, header: Any, body: Signature[T], *, app: Sender | None = ..., **options: Any) -> None: ...
    @overload
    def __init__(
        self: "chord[Any]", header: Any, body: Any = ..., *, app: Sender | None = ..., **options: Any
    ) -> None: ...
    def __init__(self, header: Any, body: Any = None, *, app: Sender | None = None, **options: Any) -> None:
        """`header` is a group, or an iterable of signatures; the body may be given later, by calling the chord."""
        head = header if isinstance(header, group) else group(header, app=app)
        tail = None if body is None else checked(body, app)
        super().__init__("caraway.chord", (), {"header": head, "body": tail}, options, app=app or head._app)
        if self._app is None and tail is not None:
            self._app = tail._app

    @classmethod
    def _of(cls, form: Mapping[str, Any]) -> Self:
        made = super()._of(form)
        app = getattr(form, "_app", None)
        header = made["kwargs"]["header"]
        made["kwargs"]["header"] = Signature.from_dict(header, app) if isinstance(header, Mapping) else group(header)
        body = made["kwargs"].get("body")
        made["kwargs"]["body"] = None if body is None else Signature.from_dict(body, app)
        return made

    @property
    def app(self) -> Sender:
        """The app that it is sent by: that of its header, where none was named."""
        return self._app or self.header.app

    @property
    def header(self) -> group:
        """The group that comes first."""
        return cast(group, self["kwargs"]["header"])

    @property
    def tasks(self) -> list[Signature]:
        """Those of the header."""
        return self.header.tasks

    @property
    def body(self) -> Signature:
        """What comes after. Raises ValueError while there is none."""
        body = self["kwargs"]["body"]
        if body is None:
            raise ValueError("this chord has no body yet: chord(header)(body)")
        return cast(Signature, body)

    @body.setter
    def body(self, body: Signature) -> None:
        self["kwargs"]["body"] = body

    @property
    def id(self) -> str | None:
        """That of its body."""
        return self.body.id

    @property
    def module(self) -> str:
        """That of its body."""
        return self.body.module if self["kwargs"]["body"] is not None else self.header.module

    def shown(self, module: str = "", first: str = "") -> str:
        """As Celery prints it: %proj.xsum([add(2, 2), add(4)])."""
        if self["kwargs"]["body"] is None:
            return f"<chord without body: {self.header.shown(module)}>"
        tasks = [] if self.header.is_lazy else listed(self.tasks, module or self.module)
        header = "<generator>" if self.header.is_lazy else f"[{', '.join(tasks)}]"
        if isinstance(self.body, group):
            return f"%{header} | {self.body.shown(module)}"
        text = self.body.shown(module, header)
        return f"%({text})" if self.body.kind == "chain" else f"%{text}"

    # Changing it

    def clone(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Self:
        """Copy it; `args` and `kwargs` are for each task of its header."""
        made = self._copy(options)
        if args or kwargs:
            made["kwargs"]["header"] = made.header.clone(args, kwargs)
        return made

    def set_immutable(self, immutable: bool) -> None:
        """Say whether the tasks of its header take arguments from what is before it."""
        self.header.set_immutable(immutable)

    def link(self, callback: S) -> S:
        """Run `callback` after its body has succeeded, with its result as first argument."""
        return self.body.link(callback)

    def link_error(self, errback: S) -> S:
        """Run `errback` when its body, or a task of its header, has failed."""
        return self.body.link_error(errback)

    # Calling

    @overload
    def __call__(self, body: Signature[U], **options: Any) -> U: ...
    @overload
    def __call__(self, body: None = ..., **options: Any) -> T: ...
    @overload
    def __call__(self, body: Any, **options: Any) -> Any: ...
    def __call__(self, body: Any = None, **options: Any) -> Any:
        """Submit it, with this body if one is given."""
        return self._with(body).apply_async(**options)

    def _with(self, body: Any) -> "chord":
        made = self
        if body is not None:
            made = self.clone()
            made.body = checked(body, self._app)
        return made

    # Compiling

    def settle(self) -> None:
        """Hand its options on to header and body."""
        options, callbacks, errbacks = taken(self.options)
        self.header.hand_down(options)
        later = {name: value for name, value in options.items() if name not in ("countdown", "eta")}
        self.body.hand_down(later, callbacks, errbacks)
        self.body = self.body.expanded()
        self.header.settle()
        self.body.settle()

    def identify(self, task_id: str | None = None) -> None:
        """Choose the ids of header and body; `task_id` is that of the body."""
        self.settle()
        self.header.identify()
        self.body.identify(task_id or self.options.get("task_id"))

    def pending(self, parent: Any) -> Any:
        """Give its body's result to come, with the header's as parent."""
        return self.body.pending(self.header.pending(parent))

    def compile(self, flow: Flow = Flow()) -> Compiling:  # noqa: B008 - it is frozen
        """Give the nodes of its header, a collect, and its body."""
        joined = yield from self.header.compile(Flow(flow.edges, flow.joined, flow.values))
        return (yield from self.body.compile(Flow(joined.edges, True, joined.values, flow.group)))

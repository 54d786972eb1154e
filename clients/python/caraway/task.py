"""Task: a function that workers run, and that callers submit."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NoReturn, ParamSpec, Protocol, Unpack, cast

from typing_extensions import TypeVar

from caraway import request
from caraway.async_result import AsyncResult
from caraway.call_check import CallCheck
from caraway.canvas import Sender, Signature
from caraway.composing import Composing
from caraway.exceptions import ImproperlyConfigured, OperationalError
from caraway.hiding import Hiding
from caraway.request import Context
from caraway.retries import retry_on_errors
from caraway.retrying import Retrying
from caraway.spec import CallOptions
from caraway.states import READY_STATES

__all__ = ["Task"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", default=R)


class App(Sender, Protocol):
    """An app, as its tasks see it."""

    finalized: bool

    def finalize(self, auto: bool = False) -> None:
        """Take in what belongs to every app."""

    def turned(self, priority: int) -> int:
        """Turn a priority into the contract's words."""

    def checked_queue(self, queue: Any) -> str:
        """Give the name of a queue. Raises QueueNotFound where it may not be named."""

    def submit(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> AsyncResult[Any]:
        """Submit a task."""

    async def asubmit(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> AsyncResult[Any]:
        """Async twin of `submit`."""

    def with_form(
        self, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions, hiding: Hiding | None
    ) -> CallOptions:
        """Add to the options of a call how its arguments are written and shown."""


class _NoApp:
    """Stands where the app will be, for a task class that is used before it is registered."""

    finalized = True

    def __getattr__(self, name: str) -> NoReturn:
        raise ImproperlyConfigured(
            "the task belongs to no app: make one, Caraway(...), before a shared task is submitted; of a task's class "
            "submit what app.register_task() returns"
        )

    def __bool__(self) -> bool:
        return False


class Task(Retrying, Composing, Generic[P, R, C]):
    """A function under a name, made by `@app.task`; or a class of one's own with a method `run`, whose instance
    `app.register_task` takes. Subclasses serve as `base=`, too.

    There is one instance in each process: what it keeps in its attributes, such as a connection, is there for the next
    task. An `__init__` takes no arguments. A coroutine function's task is called, submitted and waited for like any
    other; a worker awaits it.

    To a type checker it is a `Task[parameters, result]`; that of a coroutine function has a third part, the coroutine
    that a direct call gives.
    """

    app: App = cast(App, _NoApp())
    name: str = ""
    """What workers know it by; a class with `run` may set it."""
    result_class: ClassVar[type[AsyncResult[Any]]] = AsyncResult
    """What submitting it returns."""
    OperationalError = OperationalError
    """For `except task.OperationalError`."""
    function: Callable[..., Any]
    is_async: bool
    is_bound: bool
    has_hooks: bool
    hiding: Hiding | None = None
    _check: Callable[[Sequence[Any], dict[str, Any]], None] | None = None
    _models: Any = None
    _renames = False

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """The body; a class for `app.register_task` defines it."""
        raise NotImplementedError(f"{type(self).__name__} is to define run(), or to be the base= of a function's task")

    def _set_up(
        self,
        app: App | None,
        name: str,
        function: Callable[..., Any] | None = None,
        *,
        bind: bool = False,
        options: Mapping[str, Any],
    ) -> None:
        """Called by the app, once; None: it has none yet. Without a function, the class's own `run` is the body.

        Raises TypeError or ValueError for options, ImproperlyConfigured where pydantic is asked for and missing.
        """
        self._set_options(options)
        if app is not None:
            self.app = app
            self.on_bound(app)
        self.name = name
        self.function = self.run if function is None else function
        self.is_bound = bind
        self.is_async = inspect.iscoroutinefunction(self.function)
        self._make_body()
        if function is not None:
            functools.update_wrapper(self, function, updated=())

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """Called with the app whose task it becomes; a class of one's own may define it."""

    def _annotate(self, attributes: Mapping[str, Any]) -> None:
        """Take attributes from outside of its code. Raises as `_set_up`."""
        self._set_options(attributes)
        self._make_body()

    def _make_body(self) -> None:
        """Make what its options ask for around its function."""
        name, bind = self.name, self.is_bound
        self.has_hooks = self._has_hooks()
        self.hiding = Hiding(name, self.function, bind, self.hidden) if self.hidden else None
        self._check = CallCheck(name, self.function, bind).check if self.typing else None
        self._models = self._make_models(bind) if self.pydantic else None
        body = functools.partial(self.function, self) if bind else self.function
        if self._models is not None:
            body = self._models.around(body)
        self._renames = inspect.getattr_static(self, "shadow_name") is not vars(Task)["shadow_name"]
        if self.autoretry_for:
            body = retry_on_errors(self, body)
        self.run = body  # type: ignore[method-assign]

    def _make_models(self, bind: bool) -> Any:
        try:
            # Here and not above: pydantic is an extra, and takes longer to load than all of this package.
            from caraway.pydantic_models import Models  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise ImproperlyConfigured(
                "pydantic=True needs the package pydantic: pip install 'caraway[pydantic]'"
            ) from error
        return Models(self, bind)

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<@task: {self.name}>"

    @property
    def request(self) -> Context:
        """The attempt that runs here. Outside a worker: one that says called_directly."""
        running = request.current()
        if running is not None and running.task == self.name:
            return running
        return Context(task=self.name, called_directly=True, app=self.app)

    def push_request(self, **fields: Any) -> None:
        """Be in a run with these `fields` of Context, until `pop_request`: for tests of a task's body.

        `retries` may be one of them. Raises TypeError for what is no field.
        """
        if "retries" in fields:
            fields["attempt"] = fields.pop("retries") + 1
        request.push(request.changed(self.request, **fields, outer=request.current()))

    def pop_request(self) -> None:
        """Be where one was before the last `push_request`."""
        request.push(self.request.outer)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> C:
        """Run the function here and now, as any function."""
        running = request.current()
        if running is None or running.task != self.name:
            return cast(C, self.run(*args, **kwargs))
        if not running.entered:
            running.entered = True
            return cast(C, self.run(*args, **kwargs))
        if self.is_async:
            return cast(C, self._acall_directly(args, kwargs))
        token = request.push(Context(task=self.name, called_directly=True, app=self.app))
        try:
            return cast(C, self.run(*args, **kwargs))
        finally:
            request.pop(token)

    async def _acall_directly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        token = request.push(Context(task=self.name, called_directly=True, app=self.app))
        try:
            return await self.run(*args, **kwargs)
        finally:
            request.pop(token)

    # Submitting

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Submit a call of the task.

        Raises TypeError for arguments that do not fit, EncodeError for such that can't be sent, OperationalError when
        the gateway stays away, RequestError when it refuses.
        """
        if self._check is not None:
            self._check(args, kwargs)
        if self._models is not None:
            args, kwargs = self._models.dumped(args, kwargs)
        return self.app.submit(self.name, args, kwargs, self._named(args, kwargs, self._options()))

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Async twin of `delay`."""
        if self._check is not None:
            self._check(args, kwargs)
        if self._models is not None:
            args, kwargs = self._models.dumped(args, kwargs)
        return await self.app.asubmit(self.name, args, kwargs, self._named(args, kwargs, self._options()))

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[R]:
        """Submit a call of the task with options (`caraway.spec.CallOptions`). Raises as `delay`."""
        call = self._call(args, kwargs)
        return self.app.submit(self.name, *call, self._named(*call, cast(CallOptions, {**self._options(), **options})))

    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[R]:
        """Async twin of `apply_async`."""
        call = self._call(args, kwargs)
        named = self._named(*call, cast(CallOptions, {**self._options(), **options}))
        return await self.app.asubmit(self.name, *call, named)

    def shadow_name(self, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> str | None:
        """Give what logs show instead of the task's name for a call that says no `shadow`; None: the name.

        A class of one's own, or the option `shadow_name` of the decorator, may define it.
        """
        return None

    def _named(self, args: Sequence[Any], kwargs: Mapping[str, Any], options: CallOptions) -> CallOptions:
        if self._renames and not options.get("shadow"):
            shadow = self.shadow_name(args, kwargs, options)
            if shadow:
                return {**options, "shadow": shadow}
        return options

    def _call(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        if isinstance(args, str | bytes):
            raise TypeError(f"args are to be a list or tuple, not a {type(args).__name__}")
        positional, named = tuple(args or ()), dict(kwargs or {})
        if self._check is not None:
            self._check(positional, named)
        return (positional, named) if self._models is None else self._models.dumped(positional, named)

    def _options(self) -> CallOptions:
        if not self.app.finalized:
            self.app.finalize(auto=True)  # which may change them
        options = self._form()
        if self.queue is not None:
            options["queue"] = self.queue
        if self.priority is not None:
            options["priority"] = self.priority
        if self.expires is not None:
            options["expires"] = self.expires
        if self.ignore_result:
            options["ignore_result"] = True
        if self.acks_late is False:
            options["acks_late"] = False
        if self.unique:
            options["unique"] = self.unique
        return options

    def _form(self) -> CallOptions:
        """How arguments are written and shown."""
        options: CallOptions = {}
        if self.serializer is not None:
            options["serializer"] = self.serializer
        if self.compression is not None:
            options["compression"] = self.compression
        if self.argsrepr is not None:
            options["argsrepr"] = self.argsrepr
        if self.kwargsrepr is not None:
            options["kwargsrepr"] = self.kwargsrepr
        return options

    # Signatures

    def s(self, *args: Any, **kwargs: Any) -> Signature[AsyncResult[R]]:
        """Make a signature of a call."""
        return self.signature(args, kwargs)

    def si(self, *args: P.args, **kwargs: P.kwargs) -> Signature[AsyncResult[R]]:
        """Make an immutable signature: no later arguments are added to it."""
        return self.signature(args, kwargs, immutable=True)

    def signature(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        **options: Unpack[CallOptions],
    ) -> Signature[AsyncResult[R]]:
        """Make a signature of a call with options."""
        if self._models is not None:
            args, kwargs = self._models.dumped(args or (), kwargs or {})
        merged = cast(CallOptions, {**self._options(), **options})
        return Signature(self.name, args, kwargs, merged, app=self.app, immutable=immutable)

    subtask = signature  # its old name

    def AsyncResult(self, task_id: str) -> AsyncResult[R]:
        """The result of the task with this id."""
        return self.result_class(task_id, self.app)

    # Inside an attempt

    def update_state(self, task_id: str | None = None, state: str | None = None, meta: Any = None) -> None:
        """Tell how far the task is: a `state` of one's own, and `meta`, anything that can be sent.

        Outside a worker it does nothing. Raises ValueError for another task's id, and for a state that says that the
        task has ended: it ends by returning or raising.
        """
        attempt = self.request
        if state in READY_STATES:
            raise ValueError(
                f"update_state() can't end a task as {state}: return, or raise the error, Ignore or Reject"
            )
        if task_id is not None and task_id != attempt.id:
            raise ValueError("update_state() reports on the running task only")
        attempt.report_progress(state or "", meta)

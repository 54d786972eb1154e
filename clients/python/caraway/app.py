"""Caraway: an app, which holds tasks and knows the gateway."""

import pkgutil
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar, Unpack, cast, overload

from caraway import batch as batches
from caraway import builtin_tasks, publishing
from caraway.async_result import AsyncResult
from caraway.batch import Batch
from caraway.canvas import Signature, signature
from caraway.canvases import Canvases
from caraway.content import ContentSettings
from caraway.control import Control
from caraway.current import set_current
from caraway.exceptions import ImproperlyConfigured, NotRegistered, SubmitError
from caraway.gateway import Gateway
from caraway.hiding import Hiding
from caraway.ids import uuid7
from caraway.send_policy import SendPolicy, send_policy
from caraway.settings import ClientSettings, find_file, load
from caraway.signals import after_task_publish, before_task_publish
from caraway.spec import CallOptions, fill
from caraway.task import Task
from caraway.task_decorator import AsyncTask, BoundTaskDecorator, TaskDecorator
from caraway.unique import arguments_by_name
from caraway.v1 import task_pb2

__all__ = ["Caraway"]

P = ParamSpec("P")
R = TypeVar("R")
AnyTask = Task[..., Any]
T = TypeVar("T", bound=AnyTask)


class Caraway(Canvases):
    """Tasks, and the gateway that they are submitted to. Usable from many threads, event loops and forked processes."""

    def __init__(
        self,
        main: str | None = None,
        target: str | None = None,
        *,
        token: str | None = None,
        tls_ca: Path | str | None = None,
        tls_cert: Path | str | None = None,
        tls_key: Path | str | None = None,
        tls_server_name: str | None = None,
        default_queue: str | None = None,
        unknown_task: Literal["wait", "fail"] = "wait",
        task_cls: type[AnyTask] | str = Task,
        task_publish_retry: bool = True,
        task_publish_retry_policy: Mapping[str, Any] | None = None,
        task_always_eager: bool = False,
        task_eager_propagates: bool = False,
        task_store_eager_result: bool = False,
        **content: Unpack[ContentSettings],
    ) -> None:
        """`main` names the module of tasks that are defined in a program's main module.

        `target` is the gateway's address as "host:port", or "grpcs://host:port" to reach it by TLS. `token` is the one
        that it asks for, or "@FILE". `tls_ca` are the authorities that sign its certificate, `tls_cert` and `tls_key`
        what to show to it, all PEM files; `tls_server_name` is the name in its certificate. Each is by default what
        docs/configuration.md says of the section `client` (the environment's CARAWAY_TARGET, CARAWAY_TOKEN, ...,
        caraway.toml), read when first needed.
        `default_queue` is where tasks go that name no queue, and what a worker without -Q serves. `unknown_task` says
        what a worker of this app does about a task that it does not know: "wait" leaves it in its queue for one that
        does, "fail" ends it with NotRegistered. `task_cls` is the base of all tasks, or its name
        as "module:Class", looked up when the first task is made.
        `task_publish_retry` and `task_publish_retry_policy` are the defaults of calls' `retry` and `retry_policy`.
        `content` are the settings of `caraway.content.ContentSettings`: serializers, compression, what is accepted.

        `task_always_eager` runs what is submitted here and now, without a gateway, and gives EagerResults: for tests.
        `task_eager_propagates` raises then, at the submit, what a task raises. `task_store_eager_result` has the
        gateway keep what comes of each such task, and of `apply()`.
        """
        if unknown_task not in ("wait", "fail"):
            raise ImproperlyConfigured(f"unknown_task is to be 'wait' or 'fail', not {unknown_task!r}")
        super().__init__(**content)
        self.main = main
        self.default_queue = default_queue or "default"
        self.unknown_task = unknown_task
        self._task_cls = task_cls
        self.task_publish_retry = task_publish_retry
        self.task_publish_retry_policy = dict(task_publish_retry_policy or {})
        self._send_policy = send_policy(task_publish_retry, self.task_publish_retry_policy)
        self.task_always_eager = task_always_eager
        self.task_eager_propagates = task_eager_propagates
        self.task_store_eager_result = task_store_eager_result
        self.tasks: dict[str, Task[..., Any]] = {}
        self._given = {
            "target": target,
            "token": token,
            "tls_ca": tls_ca,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "tls_server_name": tls_server_name,
        }
        self._client_settings: ClientSettings | None = None
        self._default_options: CallOptions = {"queue": default_queue} if default_queue else {}
        self._gateway: Gateway | None = None
        self._lock = threading.Lock()
        builtin_tasks.add_to(self)
        set_current(self)

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__} {self.main or '__main__'}>"

    @property
    def client_settings(self) -> ClientSettings:
        """How the gateway is reached. Raises ImproperlyConfigured if the settings are wrong."""
        if self._client_settings is None:
            self._client_settings = load(ClientSettings, self._given, find_file(), strict=False).settings
        return self._client_settings

    @property
    def target(self) -> str:
        """The gateway's address. Raises ImproperlyConfigured if the settings are wrong."""
        return self.client_settings.target

    @property
    def gateway(self) -> Gateway:
        """The gateway of this app; connected at its first call."""
        if self._gateway is None:
            # Here and not above: grpc takes 80 ms to load, and a worker's child, which only runs tasks, starts without.
            from caraway.client import Client  # noqa: PLC0415

            with self._lock:
                if self._gateway is None:
                    settings = self.client_settings
                    self._gateway = Client(settings.target, credentials=settings)
        return self._gateway

    def retarget(self, target: str | None) -> None:
        """Use another gateway from now on; None: the one that the settings name. For tests."""
        self.close()
        with self._lock:
            self._gateway = None
            self._client_settings = None if target is None else ClientSettings(target=target)

    @property
    def control(self) -> Control:
        """Asks and commands workers: `app.control.inspect().stats()`."""
        return Control(self)

    def close(self) -> None:
        """Close this process's connection; a later call opens a new one."""
        if self._gateway is not None:
            self._gateway.close()

    # Tasks

    @overload
    def task(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(
        self, /, *, bind: Literal[True], name: str | None = ..., base: type[Task[..., Any]] | None = ..., **options: Any
    ) -> BoundTaskDecorator: ...
    @overload
    def task(
        self,
        /,
        *,
        bind: Literal[False] = ...,
        name: str | None = ...,
        base: type[Task[..., Any]] | None = ...,
        **options: Any,
    ) -> TaskDecorator: ...
    def task(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        bind: bool = False,
        base: type[Task[..., Any]] | None = None,
        **options: Any,
    ) -> Any:
        """Make a function a task; used with or without options.

        `name` is "module.function" by default. `bind=True` hands the task to the function as its first argument. `base`
        is a subclass of Task. The other options are Task's attributes. Raises TypeError for an unknown option and
        ImproperlyConfigured for a name that another function has.
        """

        def register(body: Callable[..., Any]) -> Task[..., Any]:
            made = (base or self.Task)()
            made._set_up(self, name or self._name_of(body), body, bind=bind, options=options)
            self._register(made)
            return made

        return register if function is None else register(function)

    def register_task(self, task: T | type[T], /, **options: Any) -> T:
        """Register a task written as a class with a method `run`: its instance, or the class; returns the instance.

        Its name is the class's attribute `name`, or "module.Class". Raises as `task`.
        """
        made = task() if isinstance(task, type) else task
        made._set_up(self, made.name or self._name_of(type(made)), options=options)
        self._register(made)
        return made

    def _name_of(self, function: Callable[..., Any]) -> str:
        module = function.__module__
        if module == "__main__":
            # The worker imports the program as a module, and finds its tasks under that module's name.
            file = getattr(sys.modules.get("__main__"), "__file__", None)
            module = self.main or (Path(file).stem if file else module)
        return f"{module}.{function.__name__}"

    def _register(self, made: Task[..., Any]) -> None:
        known = self.tasks.get(made.name)
        if known is not None and _origin(known.function) != _origin(made.function):
            raise ImproperlyConfigured(f"two functions claim the task name {made.name!r}; give one another name=")
        self.tasks[made.name] = made

    # Submitting

    def submit(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> AsyncResult[Any]:
        """Submit a task by name, at once or with the open batch. Raises as `Task.delay`."""
        if self.task_always_eager or "link" in options or "link_error" in options:
            return cast(AsyncResult[Any], self.start(Signature(name, args, kwargs, options, app=self)))
        result, options, named = self._prepare(name, args, kwargs, options)
        batch = batches.current(self)
        policy = self._policy(options, batch)
        if batch is not None:
            batch.add(result.id, name, args, kwargs, options, named, None if named is None else result)
        else:
            spec = task_pb2.TaskSpec()
            fill(spec, result.id, name, args, kwargs, options, named)
            result.id = self.gateway.submit(spec, policy)
            if after_task_publish.receivers:
                publishing.after(spec, self)
        return result

    async def asubmit(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> AsyncResult[Any]:
        """Async twin of `submit`."""
        if self.task_always_eager or "link" in options or "link_error" in options:
            return cast(AsyncResult[Any], await self.astart(Signature(name, args, kwargs, options, app=self)))
        result, options, named = self._prepare(name, args, kwargs, options)
        batch = batches.current(self)
        policy = self._policy(options, batch)
        if batch is not None:
            batch.add(result.id, name, args, kwargs, options, named, None if named is None else result)
            await batch.aroom()
        else:
            spec = task_pb2.TaskSpec()
            fill(spec, result.id, name, args, kwargs, options, named)
            result.id = await self.gateway.asubmit(spec, policy)
            if after_task_publish.receivers:
                publishing.after(spec, self)
        return result

    def _prepare(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> tuple[AsyncResult[Any], CallOptions, dict[str, Any] | None]:
        """The result, the options with the app's own, and for a unique task its arguments by name."""
        if self._default_options:
            options = {**self._default_options, **options}
        task = self.tasks.get(name)
        options = self.with_form(args, kwargs, options, None if task is None else task.hiding)
        result_class = AsyncResult if task is None else task.result_class
        result: AsyncResult[Any] = result_class(options.get("task_id") or uuid7(), self)
        if before_task_publish.receivers:
            options = publishing.before(result.id, name, args, kwargs, options)
        if not options.get("unique"):
            return result, options, None
        return result, options, kwargs if task is None else arguments_by_name(task.run, args, kwargs)

    def _policy(self, options: CallOptions, batch: Batch | None) -> SendPolicy | None:
        if "retry" not in options and "retry_policy" not in options:
            return self._send_policy
        policy = self.policy_of(options)
        if batch is not None and policy != batch.policy:
            raise ValueError("many tasks of a batch are one call: say retry and retry_policy to app.batch()")
        return policy

    def policy_of(self, options: CallOptions) -> SendPolicy | None:
        """Give what the options `retry` and `retry_policy` of a call say, laid over the app's."""
        retry, policy = options.get("retry"), options.get("retry_policy")
        retry = self.task_publish_retry if retry is None else retry
        return send_policy(retry, {**self.task_publish_retry_policy, **(policy or {})})

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Submit a task by its name, which this program need not know. Raises as `Task.delay`."""
        return self.submit(name, tuple(args or ()), dict(kwargs or {}), options)

    async def asend_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Async twin of `send_task`."""
        return await self.asubmit(name, tuple(args or ()), dict(kwargs or {}), options)

    def submit_many(self, signatures: Iterable[Signature]) -> list[AsyncResult[Any]]:
        """Submit many tasks in batches, in order. Raises SubmitError if some are refused; the others are accepted.

        An error of the iterable, or of an argument, comes after what was before it was sent.
        """
        results: list[AsyncResult[Any]] = []
        batch = self.batch()
        try:
            with batch:
                for signature in signatures:
                    results.append(signature.apply_async())  # noqa: PERF401 - an error must keep what was sent
        except SubmitError as error:
            raise self._with_results(error, results) from None
        return results

    async def asubmit_many(self, signatures: Iterable[Signature]) -> list[AsyncResult[Any]]:
        """Async twin of `submit_many`."""
        results: list[AsyncResult[Any]] = []
        try:
            async with self.batch():
                for signature in signatures:
                    results.append(await signature.aapply_async())  # noqa: PERF401 - as above
        except SubmitError as error:
            raise self._with_results(error, results) from None
        return results

    def _with_results(self, error: SubmitError, results: list[AsyncResult[Any]]) -> SubmitError:
        accepted = [result for result in results if result.id not in error.errors]
        return SubmitError(accepted, error.errors, accepted=error.accepted)

    def batch(self, *, retry: bool | None = None, retry_policy: Mapping[str, Any] | None = None) -> Batch:
        """`with app.batch():` (or `async with`) sends what is submitted inside it in batches, confirmed at its end.

        `delay` inside returns its AsyncResult at once. Leaving the block raises SubmitError if some were refused.
        `retry` and `retry_policy` are as for one call, and hold for each batch that is sent.
        """
        return Batch(self, self.policy_of({"retry": retry, "retry_policy": retry_policy}))

    def signature(
        self,
        name: str | Mapping[str, Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        **options: Unpack[CallOptions],
    ) -> Signature:
        """Make a signature of a task by its name, or of a signature's dict form."""
        return signature(name, args, kwargs, app=self, immutable=immutable, **options)

    def AsyncResult(self, id: str) -> AsyncResult[Any]:
        """The result of the task with this id."""
        return AsyncResult(id, self)

    def hiding_of(self, name: str) -> Hiding | None:
        """Give what hides arguments of the task of this name; None where nothing does."""
        task = self.tasks.get(name)
        return None if task is None else task.hiding

    def find_task(self, name: str) -> Task[..., Any]:
        """The task of this name. Raises NotRegistered."""
        try:
            return self.tasks[name]
        except KeyError:
            raise NotRegistered(f"no task is registered as {name!r}") from None

    @property
    def Task(self) -> type[AnyTask]:
        """The base of tasks that name none; set it before tasks are made. Raises ImproperlyConfigured if it is none."""
        if isinstance(self._task_cls, str):
            try:
                self._task_cls = pkgutil.resolve_name(self._task_cls)
            except (ImportError, AttributeError, ValueError) as error:
                raise ImproperlyConfigured(f"task_cls {self._task_cls!r} can't be found: {error}") from error
        return self._task_cls  # type: ignore[return-value]

    @Task.setter
    def Task(self, task_cls: type[AnyTask]) -> None:
        self._task_cls = task_cls


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__

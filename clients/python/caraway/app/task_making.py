"""TaskMaking: how an app comes by its tasks."""

import pkgutil
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Literal, ParamSpec, TypeVar, overload

from caraway.annotations import attributes_for
from caraway.app import finalizing
from caraway.app.configuring import Configuring
from caraway.app.naming import gen_task_name, name_of
from caraway.app.registry import TaskRegistry
from caraway.app.submitting import Submitting
from caraway.exceptions import ImproperlyConfigured
from caraway.task import Task
from caraway.task_decorator import AsyncTask, BoundTaskDecorator, TaskDecorator

__all__ = ["TaskMaking"]

P = ParamSpec("P")
R = TypeVar("R")
AnyTask = Task[..., Any]
T = TypeVar("T", bound=AnyTask)


class TaskMaking(Configuring, Submitting):
    """Base of apps.

    A task is made where it is defined. The app is finalized when its tasks are first needed: then it takes in shared
    tasks.
    """

    main: str | None
    autofinalize: bool
    _task_cls: type[AnyTask] | str

    def _start_making(self) -> None:
        self.finalized = False
        self._finalizing = False
        self._finalize_lock = threading.RLock()
        self._tasks = TaskRegistry()

    @property
    def tasks(self) -> TaskRegistry:
        """All tasks by their names; finalizes the app. Raises RuntimeError where that is not done by itself."""
        if not self.finalized:
            self.finalize(auto=True)
        return self._tasks

    def finalize(self, auto: bool = False) -> None:
        """Take in what belongs to every app; once. `auto` says that nobody asked for it by this call.

        Raises RuntimeError then, where the app was made with `autofinalize=False`.
        """
        with self._finalize_lock:
            if self.finalized or self._finalizing:
                return
            if auto and not self.autofinalize:
                raise RuntimeError("the app is not finalized, and autofinalize=False: call app.finalize() first")
            self._finalizing = True
            try:
                finalizing.bind_all(self)
                for task in self._tasks.values():
                    self._annotate(task)
            finally:
                self._finalizing = False
            self.finalized = True
        self._call_hook("on_after_finalize")

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
        AlreadyRegistered for a name that another function has.
        """

        def register(body: Callable[..., Any]) -> Task[..., Any]:
            made = (base or self.Task)()
            made._set_up(self, name or name_of(self, body), body, bind=bind, options=options)
            self._add(made)
            return made

        return register if function is None else register(function)

    def register_task(self, task: T | type[T], /, **options: Any) -> T:
        """Register a task written as a class with a method `run`: its instance, or the class; returns the instance.

        Its name is the class's attribute `name`, or "module.Class". Raises as `task`.
        """
        made = task() if isinstance(task, type) else task
        made._set_up(self, made.name or name_of(self, type(made)), options=options)
        self._add(made)
        return made

    def _add(self, task: AnyTask) -> None:
        self._tasks.register(task)
        if self.finalized:
            self._annotate(task)

    def _annotate(self, task: AnyTask) -> None:
        attributes = attributes_for(self.task_annotations, task)
        if attributes:
            task._annotate(attributes)

    def gen_task_name(self, name: str, module: str) -> str:
        """Name a task that is given no name, after its function and that one's module; a subclass may do it its way."""
        return gen_task_name(self.main, name, module)

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

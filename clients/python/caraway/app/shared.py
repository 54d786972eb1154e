"""shared_task: tasks of whatever app is used, for packages that have none of their own."""

from collections.abc import Callable, Coroutine
from typing import Any, Literal, ParamSpec, TypeVar, cast, overload

from caraway import current
from caraway.app import finalizing
from caraway.app.naming import name_of
from caraway.local import Proxy
from caraway.task import Task
from caraway.task_decorator import AsyncTask, BoundTaskDecorator, TaskDecorator

__all__ = ["shared_task"]

P = ParamSpec("P")
R = TypeVar("R")


@overload
def shared_task(function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
@overload
def shared_task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def shared_task(
    *, bind: Literal[True], name: str | None = ..., base: type[Task[..., Any]] | None = ..., **options: Any
) -> BoundTaskDecorator: ...
@overload
def shared_task(
    *, bind: Literal[False] = ..., name: str | None = ..., base: type[Task[..., Any]] | None = ..., **options: Any
) -> TaskDecorator: ...
def shared_task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """As `app.task`, in a module that has no app: every app that is finalized gets a task of its own of it.

    What is returned stands for that of the app that is meant where it is used. Where there is none yet it can be called
    as a function, and signatures can be made of it; submitting it raises ImproperlyConfigured.
    """

    name = options.pop("name", None)

    def register(body: Callable[..., Any]) -> Any:
        loose: list[Task[..., Any]] = []  # what it is while there is no app

        def find() -> Any:
            if current.is_there():
                app = current.current_app()
                return app.tasks[name or name_of(app, body)]
            if not loose:
                loose.append(_without_app(body, name, options))
            return loose[0]

        finalizing.add(lambda app: app.task(**options, name=name)(body))
        return cast(Any, Proxy(find))

    return register if function is None else register(function)


def _without_app(body: Callable[..., Any], name: str | None, options: dict[str, Any]) -> Task[..., Any]:
    rest = {key: value for key, value in options.items() if key not in ("base", "bind")}
    made: Task[..., Any] = (options.get("base") or Task)()
    made._set_up(None, name or name_of(None, body), body, bind=options.get("bind", False), options=rest)
    return made

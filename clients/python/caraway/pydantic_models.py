"""Arguments and results of tasks that are pydantic models. Loaded for tasks with pydantic=True only."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from caraway.exceptions import ImproperlyConfigured

__all__ = ["Models"]


class ModelTask(Protocol):
    """A task, as far as its models go."""

    name: str
    app: Any
    function: Callable[..., Any]
    is_async: bool
    pydantic_strict: bool
    pydantic_context: Mapping[str, Any] | None
    pydantic_dump_kwargs: Mapping[str, Any] | None
    hidden: Collection[str]

    @property
    def request(self) -> Any:
        """The running attempt."""


class Models:
    """Knows which parameters of a task's function are models: annotated as a model, or as a model or None."""

    def __init__(self, task: ModelTask, bound: bool) -> None:
        """`bound` leaves out the function's first parameter, the task itself."""
        self._task = task
        self._bound = bound
        self._dump = dict(task.pydantic_dump_kwargs or {"mode": "json"})
        self._context = {
            "caraway_app": task.app,
            "caraway_task_name": task.name,
            **(task.pydantic_context or {}),
        }

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        signature = inspect.signature(self._task.function)
        parameters = list(signature.parameters.values())[1 if self._bound else 0 :]
        return signature.replace(parameters=parameters)

    @functools.cached_property
    def _models(self) -> dict[str, tuple[type[BaseModel], bool]]:
        """The model of each parameter that has one, and whether it may be None instead."""
        # Not before the first call: an annotation may name what the module defines further down.
        try:
            hints = typing.get_type_hints(self._task.function)
        except NameError as error:
            raise ImproperlyConfigured(
                f"pydantic=True needs the annotations of {self._task.name!r} at run time: {error}"
            ) from error
        found = {name: _model_in(hints.get(name)) for name in self._signature.parameters}
        return {name: model for name, model in found.items() if model is not None}

    def around(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a task's body: it gets models, and a model that it returns to a worker is dumped."""

        @functools.wraps(run)
        def run_with_models(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._validated(args, kwargs)
            return self._dumped_result(run(*args, **kwargs))

        @functools.wraps(run)
        async def arun_with_models(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._validated(args, kwargs)
            return self._dumped_result(await run(*args, **kwargs))

        return arun_with_models if self._task.is_async else run_with_models

    def dumped(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Replace models among the arguments of a call by what is sent for them."""
        return tuple(map(_sendable, args)), {name: _sendable(value) for name, value in kwargs.items()}

    def _validated(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        bound = self._signature.bind(*args, **kwargs)
        for name in self._models.keys() & bound.arguments.keys():
            model, may_be_none = self._models[name]
            value = bound.arguments[name]
            if isinstance(value, model) or (value is None and may_be_none):
                continue
            try:
                bound.arguments[name] = model.model_validate(
                    value, strict=self._task.pydantic_strict, context=self._context
                )
            except ValidationError as error:
                if name not in self._task.hidden:
                    raise
                raise _without_input(error) from None
        return bound.args, bound.kwargs

    def _dumped_result(self, value: Any) -> Any:
        if isinstance(value, BaseModel) and not self._task.request.called_directly:
            return value.model_dump(**self._dump)
        return value


def _without_input(error: ValidationError) -> ValidationError:
    """Copy an error without the values that it is about."""
    lines = [
        InitErrorDetails(type=PydanticCustomError(line["type"], line["msg"]), loc=line["loc"], input=None)
        for line in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def _sendable(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _model_in(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    may_be_none = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        others = [one for one in typing.get_args(annotation) if one is not type(None)]
        may_be_none = len(others) < len(typing.get_args(annotation))
        annotation = others[0] if len(others) == 1 else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, may_be_none
    return None

"""Signature: a call of a task that has not been made yet."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Unpack, cast

from caraway.hiding import Hiding
from caraway.result import AsyncResult
from caraway.spec import CallOptions

__all__ = ["Sender", "Signature"]


class Sender(Protocol):
    """An app, as signatures see it."""

    def hiding_of(self, name: str) -> Hiding | None:
        """Give what hides arguments of the task of this name, if any does."""

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Submit a task by its name."""

    async def asend_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Async twin of `send_task`."""


class Signature(dict[str, Any]):
    """A task's name with arguments and options, to be sent later or passed on: a dict, as Celery's is.

    Its keys are "task", "args", "kwargs", "options" and "immutable".
    """

    def __init__(
        self,
        task: str | Mapping[str, Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        *,
        app: Sender,
        immutable: bool = False,
    ) -> None:
        """`task` is a task's name, or another signature or its dict form, which is copied."""
        if isinstance(task, Mapping):
            super().__init__(copy.deepcopy(dict(task)))
        else:
            super().__init__(
                task=task,
                args=tuple(args or ()),
                kwargs=dict(kwargs or {}),
                options=dict(options or {}),
                immutable=immutable,
            )
        self._app = app

    @property
    def task(self) -> str:
        """The task's name."""
        return cast(str, self["task"])

    @property
    def args(self) -> tuple[Any, ...]:
        """Its positional arguments."""
        return tuple(self["args"])

    @property
    def kwargs(self) -> dict[str, Any]:
        """Its keyword arguments."""
        return cast(dict[str, Any], self["kwargs"])

    @property
    def options(self) -> CallOptions:
        """Options of `apply_async`."""
        return cast(CallOptions, self["options"])

    @property
    def immutable(self) -> bool:
        """True if later arguments are left out."""
        return bool(self.get("immutable"))

    def __repr__(self) -> str:
        """As a call: proj.add(2, 2); with hidden arguments, as what is shown of them."""
        hiding = self._app.hiding_of(self.task)
        if hiding is not None:
            return f"{self.task}(*{hiding.args(self.args)}, **{hiding.kwargs(self.kwargs)})"
        shown = [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"{self.task}({', '.join(shown)})"

    def delay(self, *args: Any, **kwargs: Any) -> AsyncResult[Any]:
        """Submit it; `args` go before its own, as in Celery."""
        return self.apply_async(args, kwargs)

    async def adelay(self, *args: Any, **kwargs: Any) -> AsyncResult[Any]:
        """Async twin of `delay`."""
        return await self.aapply_async(args, kwargs)

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Submit it; `args` go before its own, `kwargs` and `options` over its own."""
        all_args, all_kwargs, all_options = self._merge(args, kwargs, options)
        return self._app.send_task(self.task, all_args, all_kwargs, **all_options)

    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Async twin of `apply_async`."""
        all_args, all_kwargs, all_options = self._merge(args, kwargs, options)
        return await self._app.asend_task(self.task, all_args, all_kwargs, **all_options)

    def _merge(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: CallOptions
    ) -> tuple[tuple[Any, ...], dict[str, Any], CallOptions]:
        merged = cast(CallOptions, {**self.options, **options})
        if self.immutable:
            return self.args, self.kwargs, merged
        return (*(args or ()), *self.args), {**self.kwargs, **(kwargs or {})}, merged

    def set(self, *, immutable: bool | None = None, **options: Unpack[CallOptions]) -> "Signature":
        """Change options in place; returns itself."""
        self["options"].update(options)
        if immutable is not None:
            self["immutable"] = immutable
        return self

    def clone(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> "Signature":
        """Copy it, with more arguments and options as `apply_async` takes them."""
        all_args, all_kwargs, all_options = self._merge(args, kwargs, options)
        return Signature(
            self.task,
            all_args,
            all_kwargs,
            all_options,
            app=self._app,
            immutable=self.immutable,
        )

"""What chain, group, chord and chunks have in common: they are sent as a whole."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Unpack, cast

from caraway.canvas.signature import Signature
from caraway.spec import CallOptions

__all__ = ["Composite"]

T = TypeVar("T")


class Composite(Signature[T]):
    """Several tasks; submitting them gives a `T`. Each kind says whom arguments given late, and options, are for."""

    def plan(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: CallOptions
    ) -> "Composite[Any]":
        """Give the copy of it that is sent, with more arguments and options. Raises TypeError for some options."""
        return self.clone(args, kwargs, **options)

    def delay(self, *args: Any, **kwargs: Any) -> T:
        """Submit it."""
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
        """Submit it, with more arguments and options. Raises as `Task.delay`."""
        return cast(T, self.app.send_canvas(self.plan(args, kwargs, options)))

    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> T:
        """Async twin of `apply_async`."""
        return cast(T, await self.app.asend_canvas(self.plan(args, kwargs, options)))

    def apply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> T:
        """Run it here and now, without a gateway; its results are EagerResults."""
        return cast(T, self.app.apply(self.plan(args, kwargs, options)))

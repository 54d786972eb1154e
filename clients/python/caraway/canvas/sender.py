"""What signatures need of an app."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Unpack

from caraway.async_result import AsyncResult
from caraway.canvas.graph import Compiling
from caraway.gateway import HasGateway
from caraway.hiding import Hiding
from caraway.spec import CallOptions

__all__ = ["Plan", "Sender"]


class Plan(Protocol):
    """A canvas that is to be run as it is."""

    @property
    def id(self) -> str | None:
        """The id of its last task, or of the group that it ends with, once it is frozen."""

    @property
    def options(self) -> CallOptions:
        """How it is to be sent and run."""

    @property
    def is_empty(self) -> bool:
        """True if it has no task to run."""

    def freeze(self) -> Any:
        """Give every task in it an id. Returns the result of the whole."""

    def compile(self) -> Compiling:
        """Give its nodes."""


class Sender(HasGateway, Protocol):
    """An app, as signatures see it."""

    def find_task(self, name: str) -> Any:
        """The task of this name. Raises NotRegistered."""

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

    def send_canvas(self, plan: Plan) -> Any:
        """Submit a canvas, or run it here where the app is eager. None: it is empty."""

    async def asend_canvas(self, plan: Plan) -> Any:
        """Async twin of `send_canvas`."""

    def apply(self, plan: Plan) -> Any:
        """Run a canvas here and now. None: it is empty."""

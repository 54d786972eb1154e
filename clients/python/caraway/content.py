"""Content: how an app writes and reads arguments and results, and what is shown of them."""

from collections.abc import Collection, Sequence
from typing import Any

from caraway import serialization
from caraway.conf import app_setting
from caraway.hiding import Hiding
from caraway.spec import CallOptions

__all__ = ["Content"]


class Content:
    """Base of apps.

    A serializer or compression that is not there, or not accepted, is refused at the call, and by a worker at its
    start.
    """

    task_serializer: str = app_setting("task_serializer")
    result_serializer: str = app_setting("result_serializer")
    accept_content: Collection[str] = app_setting("accept_content")
    task_compression: str | None = app_setting("task_compression")
    result_compression: str | None = app_setting("result_compression")
    max_decompressed_bytes: int = app_setting("max_decompressed_bytes")

    def with_form(
        self, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions, hiding: Hiding | None
    ) -> CallOptions:
        """Add to the options of a call how its arguments are written and shown; `hiding` is its task's.

        Raises ContentDisallowed for a serializer that this app does not accept, SerializerNotInstalled for none.
        """
        if self.task_compression is not None and options.get("compression") is None:
            options = {**options, "compression": self.task_compression}
        if self.task_serializer != "json" and options.get("serializer") is None:
            options = {**options, "serializer": self.task_serializer}
        serializer = options.get("serializer")
        if serializer is not None:
            self.check_serializer(serializer)
        if hiding is not None:
            options = {
                **options,
                "argsrepr": options.get("argsrepr") or hiding.args(args),
                "kwargsrepr": options.get("kwargsrepr") or hiding.kwargs(kwargs),
            }
        return options

    def check_serializer(self, name: str) -> None:
        """Raise ContentDisallowed unless this app accepts the serializer, SerializerNotInstalled if there is none."""
        serialization.check_accepted(serialization.named(name), self.accept_content)

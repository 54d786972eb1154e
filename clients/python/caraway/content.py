"""Content: how an app writes and reads arguments and results, and what is shown of them."""

from collections.abc import Collection, Sequence
from typing import Any, Final, TypedDict, Unpack

from caraway import serialization
from caraway.compression import MAX_BYTES
from caraway.exceptions import ImproperlyConfigured
from caraway.hiding import Hiding
from caraway.option_names import check_names
from caraway.spec import CallOptions

__all__ = ["Content", "ContentSettings"]


class ContentSettings(TypedDict, total=False):
    """Settings of an app that are its attributes, too; docs/payload.md says more of each."""

    task_serializer: str
    """How arguments are written. Default: "json"."""
    result_serializer: str
    """How results and progress are written. Default: "json"."""
    accept_content: Collection[str]
    """Serializers or content types that are written and read beside JSON; "pickle" runs code of whoever wrote it.
    Default: msgpack and yaml."""
    task_compression: str | None
    """How arguments are compressed. Default: they are not."""
    result_compression: str | None
    """How results and progress are compressed. Default: they are not."""
    max_decompressed_bytes: int
    """How large a payload may become when it is decompressed. Default: 64 MiB."""


_SETTINGS: Final = frozenset(ContentSettings.__annotations__)


class Content:
    """Base of apps.

    A serializer or compression that is not there, or not accepted, is refused at the call, and by a worker at its
    start.
    """

    task_serializer: str = "json"
    result_serializer: str = "json"
    accept_content: Collection[str] = serialization.SAFE
    task_compression: str | None = None
    result_compression: str | None = None
    max_decompressed_bytes: int = MAX_BYTES

    def __init__(self, **settings: Unpack[ContentSettings]) -> None:
        """Raises TypeError for settings that there are not, ImproperlyConfigured for a value that can't be one."""
        check_names("Caraway()", settings, _SETTINGS)
        for name, value in settings.items():
            setattr(self, name, value)
        if isinstance(self.accept_content, str):
            raise ImproperlyConfigured(f"accept_content is to be a list of names, not {self.accept_content!r}")

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

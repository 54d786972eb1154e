"""ExceptionInfo: an exception with its traceback, as hooks get it."""

import traceback
from dataclasses import dataclass
from types import TracebackType

__all__ = ["ExceptionInfo"]


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """Celery's `einfo`: printed, it is the traceback."""

    exception: BaseException

    @property
    def type(self) -> type[BaseException]:
        """The exception's class."""
        return type(self.exception)

    @property
    def tb(self) -> TracebackType | None:
        """The traceback as an object."""
        return self.exception.__traceback__

    @property
    def traceback(self) -> str:
        """The traceback as text, with those of its causes."""
        return "".join(traceback.format_exception(self.exception))

    def __str__(self) -> str:
        """The traceback."""
        return self.traceback

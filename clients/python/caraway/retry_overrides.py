"""What a task that asks for its retry changes for the next attempt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict, cast

from caraway.option_names import check_names
from caraway.request import Context
from caraway.spec import CALL_OPTIONS, CallOptions, Seconds, fill_arguments, fill_options
from caraway.v1 import task_pb2

__all__ = ["RetryOptions", "overrides_of"]


class RetryOptions(TypedDict, total=False):
    """Options of `apply_async` that a retry may change; they hold from then on."""

    queue: str | None
    priority: int | None
    expires: Seconds | datetime | None
    """A time span counts from the retry."""
    time_limit: Seconds | None
    soft_time_limit: Seconds | None
    headers: Mapping[str, str] | None
    """Added to those that the task has."""


_ALLOWED: Final = frozenset(RetryOptions.__annotations__)


def overrides_of(
    attempt: Context,
    call: tuple[Sequence[Any], dict[str, Any]] | None,
    form: CallOptions,
    options: RetryOptions,
) -> task_pb2.TaskSpec | None:
    """Write changed options, and the arguments of `call`, as the contract has them; None: nothing is changed.

    `form` are the options that say how those arguments are written and shown. Raises PayloadError for arguments,
    TypeError or ValueError for options.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    check_names("retry()", given, _ALLOWED, CALL_OPTIONS - _ALLOWED)
    if call is None and not given:
        return None
    if "headers" in given:
        # The contract replaces them all; those that tell the task's parent are to stay.
        given["headers"] = {**attempt.headers, **given["headers"]}
    if "time_limit" in given or "soft_time_limit" in given:
        # Replaced together: the one that is not named stays as it is.
        hard, soft = attempt.timelimit
        given = {"time_limit": hard, "soft_time_limit": soft, **given}
    spec = task_pb2.TaskSpec()
    if call is not None:
        fill_arguments(spec, *call, form)
    fill_options(spec, cast(CallOptions, {**form, **given}))
    return spec

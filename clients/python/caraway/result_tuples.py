"""Reads what `as_tuple` of a result gave: Celery's `result_from_tuple`."""

from typing import Any

from caraway.async_result import AsyncResult
from caraway.current import current_app
from caraway.gateway import HasGateway
from caraway.group_result import GroupResult
from caraway.result_base import ResultBase

__all__ = ["read"]


def read(form: Any, app: HasGateway | None = None) -> Any:
    """Make the result: `form` is ((id, parent), members), where a parent is one again, or an id, or a result itself.

    Raises ValueError for anything else.
    """
    app = app or current_app()
    # From the youngest to its root, then back: a chain of thousands is as deep as it is long.
    lineage: list[Any] = []
    while form is not None and not isinstance(form, ResultBase | str):
        if not isinstance(form, list | tuple) or len(form) != 2:
            raise ValueError(f"a result's form is ((id, parent), members), not {form!r:.200}")
        lineage.append(form)
        form = form[0][1] if isinstance(form[0], list | tuple) else None
    result: Any = AsyncResult(form, app) if isinstance(form, str) else form
    for head, members in reversed(lineage):
        id = head[0] if isinstance(head, list | tuple) else head
        if members is None:
            result = AsyncResult(id, app, result)
        else:
            result = GroupResult(id, [read(member, app) for member in members], result, app)
    return result

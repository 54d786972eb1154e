"""What submitting gives: results of tasks, of groups, and of what ran here and now. Celery's `celery.result`."""

from caraway.async_result import AsyncResult
from caraway.eager_result import EagerResult
from caraway.group_result import GroupResult
from caraway.joining import allow_join_result, denied_join_result
from caraway.result_base import ResultBase
from caraway.result_set import ResultSet
from caraway.result_tuples import read as result_from_tuple

__all__ = [
    "AsyncResult",
    "EagerResult",
    "GroupResult",
    "ResultBase",
    "ResultSet",
    "allow_join_result",
    "denied_join_result",
    "result_from_tuple",
]

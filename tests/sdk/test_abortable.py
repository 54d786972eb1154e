"""AbortableTask and its result: what is asked of the gateway, and how it is told."""

from typing import Any

import pytest

from caraway import Caraway
from caraway.contrib.abortable import ABORTED, AbortableAsyncResult, AbortableTask
from caraway.exceptions import TaskNotFound
from caraway.request import Context, pop, push
from caraway.v1 import task_pb2, task_service_pb2
from support.played import PlayedGateway


def made(app: Caraway) -> Any:
    return app.task(name="long", base=AbortableTask)(lambda: None)


def test_every_way_of_submitting_returns_a_result_that_can_be_aborted(app: Caraway, played: PlayedGateway) -> None:
    task = made(app)
    with app.batch():
        inside = task.delay()
    for result in (task.delay(), task.apply_async(), task.s().delay(), app.send_task("long"), inside):
        assert isinstance(result, AbortableAsyncResult)
    assert isinstance(task.AsyncResult("id"), AbortableAsyncResult)
    assert not isinstance(app.task(name="other")(lambda: None).delay(), AbortableAsyncResult)


async def test_to_abort_asks_for_a_cancellation_that_kills_nothing(app: Caraway, played: PlayedGateway) -> None:
    result = made(app).delay()
    assert not result.is_aborted()
    result.abort()
    await result.aabort()
    for asked in played.revocations:
        assert (asked.mode, asked.reason) == (task_service_pb2.RevokeTasksRequest.MODE_CANCEL, ABORTED)
    with pytest.raises(TaskNotFound):
        made(app).AsyncResult("unknown").abort()


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (task_pb2.Task.STATE_RUNNING, ABORTED),
        (task_pb2.Task.STATE_REVOKED, ABORTED),
        (task_pb2.Task.STATE_SUCCEEDED, "SUCCESS"),
        (task_pb2.Task.STATE_FAILED, "FAILURE"),
    ],
)
async def test_the_state_is_aborted_until_the_task_ends_by_itself(
    app: Caraway, played: PlayedGateway, state: Any, shown: str
) -> None:
    result = made(app).delay()
    played.end(result.id, state=state, cancel_reason=ABORTED)
    assert (result.state, await result.astate(), result.is_aborted(), await result.ais_aborted()) == (
        shown, shown, True, True,
    )  # fmt: skip


def test_what_was_only_revoked_is_not_aborted(app: Caraway, played: PlayedGateway) -> None:
    result = made(app).delay()
    played.end(result.id, state=task_pb2.Task.STATE_REVOKED, cancel_reason="revoked")
    assert (result.state, result.is_aborted()) == ("REVOKED", False)


def test_the_task_sees_it() -> None:
    task = made(Caraway("proj"))
    assert not task.is_aborted()
    token = push(Context(id="id", task=task.name, is_cancelled=lambda: True))
    try:
        assert task.is_aborted()
    finally:
        pop(token)

"""`task_store_eager_result`: what ran without a worker can be read by its id."""

from collections.abc import Iterator
from typing import Any

import pytest

from caraway import Caraway, chain, group
from caraway.exceptions import Ignore, Reject, TaskIdConflict, TaskNotFound, TaskRejectedError
from caraway.result import EagerResult
from support.gateway import GatewayProcess


@pytest.fixture
def app(gateway: GatewayProcess) -> Iterator[Caraway]:
    made = Caraway("eager", target=gateway.target, task_store_eager_result=True, task_always_eager=True)

    @made.task(name="eager.end")
    def end(how: str, value: Any = None) -> Any:
        if how == "raise":
            raise LookupError(value)
        if how in ("ignore", "reject"):
            raise {"ignore": Ignore, "reject": Reject}[how](value)
        return value

    yield made
    made.close()


@pytest.fixture
def reader(gateway: GatewayProcess) -> Iterator[Caraway]:
    """Another program."""
    made = Caraway("reader", target=gateway.target)
    yield made
    made.close()


def test_results_and_errors_are_kept(app: Caraway, reader: Caraway) -> None:
    end = app.tasks["eager.end"]
    good = end.delay("return", {"a": [1]})
    assert isinstance(good, EagerResult)
    stored = reader.AsyncResult(good.id)
    assert (stored.get(timeout=5), stored.state, stored.name, stored.args) == (
        {"a": [1]}, "SUCCESS", "eager.end", ("return", {"a": [1]})
    )  # fmt: skip
    bad = reader.AsyncResult(end.delay("raise", "gone").id)
    assert bad.state == "FAILURE"
    with pytest.raises(LookupError, match="gone"):
        bad.get(timeout=5)
    assert reader.AsyncResult(end.delay("ignore").id).state == "IGNORED"
    with pytest.raises(TaskRejectedError, match="not me"):
        reader.AsyncResult(end.delay("reject", "not me").id).get(timeout=5)


async def test_each_task_of_a_canvas_is_kept(app: Caraway, reader: Caraway) -> None:
    end = app.tasks["eager.end"]
    result = await chain(end.si("return", 1), group(end.si("return", 2), end.si("return", 3))).aapply_async()
    ids = [result.parent.id, *(each.id for each in result.results)]
    assert [await reader.AsyncResult(id).aget(timeout=5) for id in ids] == [1, 2, 3]
    applied = end.apply(("return", 4), ignore_result=True, countdown=3600)
    assert (reader.AsyncResult(applied.id).state, reader.AsyncResult(applied.id).get(timeout=5)) == ("SUCCESS", None)


def test_an_id_that_is_taken_is_refused(app: Caraway, reader: Caraway) -> None:
    end = app.tasks["eager.end"]
    taken = end.delay("return", 1)
    with pytest.raises(TaskIdConflict):
        end.apply_async(("return", 2), task_id=taken.id)


def test_nothing_is_kept_unless_asked_for(gateway: GatewayProcess, reader: Caraway) -> None:
    app = Caraway("eager", target=gateway.target, task_always_eager=True)
    result = app.task(name="eager.plain")(lambda: 1).delay()
    with pytest.raises(TaskNotFound):
        reader.AsyncResult(result.id).state  # noqa: B018 - reading it asks the gateway
    app.close()

"""The option `unique`: the key of a call, and whose result is given back. tests/e2e has it with crashes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from caraway import AsyncResult, Caraway, Unique
from caraway.exceptions import EncodeError, SubmitError, UniqueConflict
from caraway.ids import uuid7
from caraway.v1 import task_pb2
from support.gateway import GatewayProcess
from support.played import PlayedGateway

EXISTING = Unique(on_conflict="return_existing")


@pytest.fixture
def live(gateway: GatewayProcess) -> Iterator[Caraway]:
    """An app of the session's gateway, with a queue and a task name of the test's own."""
    app = Caraway(uuid7(), target=gateway.target, default_queue=f"unique-{uuid7()}")
    yield app
    app.close()


def key_of(played: PlayedGateway, result: AsyncResult[Any]) -> str:
    return played.tasks[result.id].spec.uniqueness.key


@pytest.fixture
def report(app: Caraway) -> Any:
    @app.task(name="report", bind=True, unique=Unique("report:{user_id}"))
    def report(self: Any, user_id: int, *, day: str = "today", **rest: Any) -> None: ...

    return report


def test_a_template_is_made_of_arguments_by_name_and_by_position(
    app: Caraway, played: PlayedGateway, report: Any
) -> None:
    for result in (report.delay(7), report.delay(user_id=7), report.s(7).apply_async()):
        assert key_of(played, result) == "report:7"
    for template, key in (("{day}/{0}", "today/7"), ("{x}", "1"), ("{{}}", "{}")):
        result = report.apply_async((7,), {"x": 1}, unique=Unique(template))
        assert key_of(played, result) == key
    # This program does not know the task: only what is given by keyword has a name.
    assert key_of(played, app.send_task("other", (7,), {"a": 1}, unique=Unique("{0}-{a}"))) == "7-1"


def test_a_key_may_be_a_function_of_the_arguments(app: Caraway, played: PlayedGateway) -> None:
    rule = Unique(lambda *args, **kwargs: f"{args}{kwargs}")
    assert key_of(played, app.send_task("x", (1,), {"a": 2}, unique=rule)) == "(1,){'a': 2}"
    with pytest.raises(TypeError, match="return a text"):
        app.send_task("x", unique=Unique(lambda: 7))  # type: ignore[arg-type,return-value]


def test_the_default_key_is_of_the_task_and_its_arguments(app: Caraway, played: PlayedGateway) -> None:
    def key(name: str, *args: Any, **kwargs: Any) -> str:
        return key_of(played, app.send_task(name, args, kwargs, unique=True))

    assert key("a", 1, x={"m": 1, "n": 2}, y={3, 4}) == key("a", 1, y={4, 3}, x={"n": 2, "m": 1})
    different = [key("a"), key("b"), key("a", 1), key("a", "1"), key("a", 1.5), key("a", x=1), key("a" * 255)]
    assert len(set(different)) == len(different)
    assert key("a").startswith("a:")
    assert len(key("a" * 255)) == 255
    with pytest.raises(EncodeError):
        key("a", object())


def test_a_call_goes_before_its_task(played: PlayedGateway, report: Any) -> None:
    assert not played.tasks[report.apply_async((1,), unique=False).id].spec.HasField("uniqueness")
    window = timedelta(minutes=5)
    result = report.apply_async((1,), unique=Unique("k", window=window, on_conflict="replace"))
    rule = played.tasks[result.id].spec.uniqueness
    assert (rule.key, rule.window.ToTimedelta()) == ("k", window)
    assert rule.on_conflict == task_pb2.Uniqueness.ON_CONFLICT_REPLACE


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Unique(7), TypeError, "key"),  # type: ignore[arg-type]
        (lambda: Unique(window=0), ValueError, "window"),
        (lambda: Unique(window="1"), TypeError, "window"),  # type: ignore[arg-type]
        (lambda: Unique(on_conflict="ignore"), ValueError, "reject, return_existing, replace"),  # type: ignore[arg-type]
        (lambda: Caraway("p").task(unique="k")(print), TypeError, "unique is to be a Unique"),  # type: ignore[call-overload]
    ],
)
def test_an_unfit_rule_is_refused_where_it_is_written(
    make: Callable[[], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()


@pytest.mark.parametrize("template", ["{nobody}", "{3}", "{user_id.x}", "{", "", "x" * 256])
def test_a_key_that_can_t_be_made_is_refused_before_anything_is_sent(
    played: PlayedGateway, report: Any, template: str
) -> None:
    with pytest.raises(ValueError, match="unique key"):
        report.apply_async((1,), unique=Unique(template))
    assert played.calls == []


def test_a_held_key_raises_and_says_who_has_it(live: Caraway) -> None:
    holder = live.send_task(live.main, unique=True)
    with pytest.raises(UniqueConflict) as raised:
        live.send_task(live.main, unique=True)
    assert raised.value.metadata["task_id"] == holder.id
    holder.revoke()
    live.send_task(live.main, unique=True)


async def test_the_result_is_the_holder_s(live: Caraway) -> None:
    holder = live.send_task(live.main, [1], unique=EXISTING)
    assert holder.queue == live.default_queue
    assert live.send_task(live.main, [1], unique=EXISTING) == holder
    assert await live.asend_task(live.main, [1], unique=EXISTING) == holder
    assert live.signature(live.main, [1], unique=EXISTING).apply_async() == holder
    assert live.send_task(live.main, [2], unique=EXISTING) != holder


def test_in_a_batch_the_result_becomes_the_holder_s(live: Caraway) -> None:
    holder = live.send_task(live.main, [1], unique=EXISTING)
    with live.batch() as batch:
        first, other, second = [live.send_task(live.main, [number], unique=EXISTING) for number in (1, 2, 1)]
        assert first.args == (1,)
        third = live.send_task(live.main, [2], unique=EXISTING)
    assert (first, second, third, batch.accepted) == (holder, holder, other, 4)
    assert live.submit_many([live.signature(live.main, [1], unique=EXISTING)]) == [holder]


async def test_in_a_batch_of_the_loop_too(live: Caraway) -> None:
    holder = await live.asend_task(live.main, unique=EXISTING)
    async with live.batch():
        result = await live.asend_task(live.main, unique=EXISTING)
    assert result == holder
    assert await live.asubmit_many([live.signature(live.main, unique=EXISTING)]) == [holder]


def test_a_batch_tells_which_were_refused(live: Caraway) -> None:
    with pytest.raises(SubmitError) as raised:
        live.submit_many(live.signature(live.main, [number], unique=True) for number in (1, 2, 1))
    (error,) = raised.value.errors.values()
    assert isinstance(error, UniqueConflict)
    assert error.metadata["task_id"] == raised.value.results[0].id
    assert len(raised.value.results) == 2


def test_a_waiting_task_is_replaced(live: Caraway) -> None:
    rule = Unique("{who}" + uuid7(), on_conflict="replace")
    first = live.send_task(live.main, kwargs={"who": "me"}, countdown=3600, unique=rule)
    second = live.send_task(live.main, kwargs={"who": "me"}, unique=rule)
    assert (first.state, second.state) == ("REVOKED", "PENDING")

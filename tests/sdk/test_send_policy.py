"""`retry` and `retry_policy`: how often a submit is tried again, and until when."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from caraway import Caraway, chain, chord, exceptions, group, retry_clock
from caraway.exceptions import ImproperlyConfigured, OperationalError, QueueFull
from caraway.retry_clock import LONGEST_RETRY, RetryClock
from caraway.send_policy import ONCE, SendPolicy, send_policy
from support.played import PlayedGateway, refusal

AWAY = OperationalError("connection refused", reason="STORE_UNAVAILABLE")
QUICK = {"interval_start": 0, "interval_step": 0.001, "interval_max": 0.001}


@pytest.fixture
def once_only(played: PlayedGateway) -> Iterator[Caraway]:
    """An app that does not try again unless a call says so."""
    app = Caraway("proj", target=played.target, task_publish_retry=False, task_publish_retry_policy=QUICK)
    yield app
    app.close()


def refuse(played: PlayedGateway, times: int) -> None:
    played.refusals += [grpc.StatusCode.UNAVAILABLE] * times


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        ({}, [0, 0.2, 0.2, 0.2]),
        ({"interval_start": 1, "interval_step": 2, "interval_max": 4}, [1, 3, 4, 4]),
        ({"interval_start": 5, "interval_max": 2}, [2, 2, 2, 2]),
    ],
)
def test_waits_grow_by_a_step_up_to_their_maximum(policy: dict[str, Any], waits: list[float]) -> None:
    made = SendPolicy(**policy)
    for _ in range(20):
        for retries, wait in enumerate(waits):
            assert 0.9 * wait <= made.wait_after(retries) <= wait


def test_defaults_are_celery_s_once_a_policy_is_given_and_else_the_sdk_s_own() -> None:
    assert send_policy(True, None) is None
    assert send_policy(True, {}) is None
    assert send_policy(True, {"interval_max": 9}) == SendPolicy(3, 0, 0.2, 9, ())
    assert send_policy(False, {"max_retries": 9}) == ONCE


@pytest.mark.parametrize(
    ("policy", "error", "says"),
    [
        ({"max_retrys": 1}, TypeError, "did you mean 'max_retries'"),
        ({"max_retries": -1}, ValueError, "max_retries"),
        ({"max_retries": "3"}, ValueError, "max_retries"),
        ({"interval_start": -1}, ValueError, "interval_start"),
        ({"interval_step": "a"}, TypeError, "interval_step"),
        ({"interval_max": float("nan")}, ValueError, "interval_max"),
        ({"retry_errors": (1,)}, TypeError, "retry_errors"),
    ],
)
def test_an_unfit_policy_is_refused_before_anything_is_sent(
    app: Caraway, played: PlayedGateway, policy: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        app.send_task("x", retry_policy=policy)
    with pytest.raises(ImproperlyConfigured, match=f"task_publish_retry_policy.*{says}"):
        Caraway("proj", task_publish_retry_policy=policy)
    assert played.calls == []


def test_without_retry_the_first_failure_is_raised(app: Caraway, played: PlayedGateway) -> None:
    refuse(played, 1)
    with pytest.raises(OperationalError, match="in 1 tries") as raised:
        app.send_task("x", retry=False)
    assert raised.value.target == played.target
    assert played.calls == ["SubmitTask"]


def test_a_call_is_tried_as_often_as_its_policy_says(app: Caraway, played: PlayedGateway) -> None:
    refuse(played, 2)
    app.send_task("x", retry_policy={**QUICK, "max_retries": 2})
    assert played.calls == ["SubmitTask"] * 3
    refuse(played, 3)
    with pytest.raises(OperationalError, match="in 3 tries"):
        app.send_task("x", retry_policy={**QUICK, "max_retries": 2})
    assert played.calls == ["SubmitTask"] * 6


def test_calls_go_before_the_app_s_settings(once_only: Caraway, played: PlayedGateway) -> None:
    refuse(played, 1)
    with pytest.raises(OperationalError):
        once_only.send_task("x")
    refuse(played, 3)
    # Laid over the app's policy, whose waits are short; with Celery's it would wait too, but not give up.
    once_only.send_task("x", retry=True, retry_policy={"max_retries": 3})
    assert played.calls == ["SubmitTask"] * 5


async def test_async_calls_follow_the_policy_too(app: Caraway, played: PlayedGateway) -> None:
    refuse(played, 1)
    with pytest.raises(OperationalError):
        await app.asend_task("x", retry=False)
    refuse(played, 1)
    await app.asend_task("x", retry_policy={**QUICK, "max_retries": 1})
    assert played.calls == ["SubmitTask"] * 3


def test_errors_that_the_policy_names_are_tried_again_and_raised_as_they_are(
    app: Caraway, played: PlayedGateway
) -> None:
    policy = {**QUICK, "max_retries": 2, "retry_errors": [QueueFull]}
    played.refusals += [refusal("QUEUE_FULL"), refusal("QUEUE_FULL")]
    app.send_task("x", retry_policy=policy)
    played.refusals += [refusal("QUEUE_FULL", "full")] * 3
    with pytest.raises(QueueFull, match="full"):
        app.send_task("x", retry_policy=policy)
    played.refusals.append(refusal("STORE_FULL"))
    with pytest.raises(exceptions.StoreFull):
        app.send_task("x", retry_policy=policy)
    assert played.calls == ["SubmitTask"] * 7


def test_a_batch_has_one_policy(app: Caraway, played: PlayedGateway) -> None:
    refuse(played, 1)
    with pytest.raises(exceptions.SubmitError, match="in 1 tries"), app.batch(retry=False):
        app.send_task("x", retry=False)
        with pytest.raises(ValueError, match=r"app.batch\(\)"):
            app.send_task("x", retry_policy={"max_retries": 1})
    refuse(played, 1)
    with app.batch(retry_policy={**QUICK, "max_retries": 1}):
        app.send_task("y")
    assert [task.spec.name for task in played.tasks.values()] == ["y"]


def test_no_policy_tries_beyond_the_dedup_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    clock = RetryClock("gateway:1", policy=SendPolicy(max_retries=None, interval_start=60, interval_max=60))
    assert all(clock.next_delay(AWAY) > 0 for _ in range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: now + LONGEST_RETRY - 30)
    with pytest.raises(OperationalError, match="1001 tries"):
        clock.next_delay(AWAY)
    # What began last is over before the window is, so it can't make a second task.
    assert LONGEST_RETRY + retry_clock.ATTEMPT_TIMEOUT < 600


@pytest.mark.parametrize("option", ["connection", "producer"])
def test_celery_s_connections_are_taken_with_a_warning(app: Caraway, played: PlayedGateway, option: str) -> None:
    with pytest.warns(UserWarning, match=f"'{option}' has no effect in Caraway: .* app"):
        app.send_task("x", **{option: object()})
    app.send_task("x", **{option: None})
    assert len(played.tasks) == 2


@pytest.mark.parametrize("option", ["exchange", "routing_key"])
def test_routes_of_another_kind_are_refused_with_what_to_use(app: Caraway, played: PlayedGateway, option: str) -> None:
    with pytest.raises(TypeError, match=f"{option}.*queue="):
        app.send_task("x", **{option: "media.video"})
    assert played.calls == []


@pytest.mark.parametrize(
    ("options", "tries"),
    [({"retry": False}, 1), ({"retry": True, "retry_policy": {**QUICK, "max_retries": 2}}, 3), ({"retry": True}, 4)],
)
async def test_a_canvas_is_sent_by_its_own_policy(options: Any, tries: int) -> None:
    app = Caraway("proj", target="127.0.0.1:1", task_publish_retry=False, task_publish_retry_policy=QUICK)
    steps = [app.signature("one", **options), app.signature("two")]
    for canvas in (chain(steps), group(steps), chord(steps, app.signature("body"))):
        with pytest.raises(OperationalError, match=rf"\b{tries} tr"):
            canvas.apply_async(**options)
        with pytest.raises(OperationalError, match=rf"\b{tries} tr"):
            await canvas.aapply_async(**options)
    with pytest.raises(TypeError, match="retry_policy"):
        canvas.apply_async(retry_policy={"no_such_word": 1})
    app.close()

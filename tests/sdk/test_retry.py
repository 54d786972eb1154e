"""self.retry and autoretry_for: what a task asks for, and when it may ask no more."""

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caraway import Caraway
from caraway.exceptions import EncodeError, Ignore, MaxRetriesExceededError, Reject, Retry
from caraway.request import Context, pop, push
from caraway.retries import backoff

app = Caraway("proj")


@contextmanager
def attempt(task: Any, number: int = 1, **fields: Any) -> Iterator[Context]:
    context = Context(id="id", task=task.name, attempt=number, **fields)
    token = push(context)
    try:
        yield context
    finally:
        pop(token)


@app.task(bind=True, default_retry_delay=7)
def asks(self: Any, **options: Any) -> Any:
    try:
        raise ValueError("first")
    except ValueError:
        return self.retry(**options)


@app.task(bind=True, name="plain")
def asks_plainly(self: Any, **options: Any) -> Any:
    return self.retry(**options)


def test_retry_raises_retry_with_its_delay_and_the_error_at_hand() -> None:
    with attempt(asks), pytest.raises(Retry) as raised:
        asks()
    assert raised.value.delay == 7
    assert isinstance(raised.value.exc, ValueError)
    assert raised.value.__cause__ is raised.value.exc
    assert "first" in str(raised.value)


def test_the_delay_is_a_countdown_or_an_instant() -> None:
    for options, low, high in (
        ({"countdown": 0}, 0, 0),
        ({"countdown": 2.5}, 2.5, 2.5),
        ({"countdown": timedelta(minutes=1)}, 60, 60),
        ({"eta": datetime.now(UTC) + timedelta(hours=1)}, 3590, 3600),
        ({"eta": datetime.now(UTC) - timedelta(hours=1)}, 0, 0),
    ):
        with attempt(asks), pytest.raises(Retry) as raised:
            asks(**options)
        assert low <= raised.value.delay <= high
    with attempt(asks), pytest.raises(ValueError, match="time zone"):
        asks(eta=datetime(2030, 1, 1))


def test_used_up_retries_raise_the_error_given_or_say_so() -> None:
    error = KeyError("mine")
    with attempt(asks, 4), pytest.raises(KeyError) as raised:
        asks(exc=error)
    assert raised.value is error
    with attempt(asks_plainly, 4, args=(1,)), pytest.raises(MaxRetriesExceededError, match=r"plain\[id\]") as used_up:
        asks_plainly()
    assert used_up.value.task_args == (1,)
    with attempt(asks, 3), pytest.raises(Retry):
        asks()
    with attempt(asks, 1), pytest.raises(KeyError):
        asks(exc=error, max_retries=0)
    with attempt(asks, 6), pytest.raises(Retry):
        asks(max_retries=5 + 1)


def test_max_retries_none_is_for_ever() -> None:
    forever = app.task(bind=True, name="forever", max_retries=None)(lambda self: self.retry())
    with attempt(forever, 10**6), pytest.raises(Retry):
        forever()


def test_throw_false_returns_it() -> None:
    with attempt(asks_plainly):
        assert isinstance(asks_plainly(throw=False, countdown=1), Retry)


def test_called_directly_it_raises_the_error() -> None:
    with pytest.raises(ValueError, match="mine"):
        asks(exc=ValueError("mine"))
    with pytest.raises(Retry):
        asks_plainly()


def overrides(**options: Any) -> Any:
    """What a retry with these options changes."""
    fields = {"args": (1,), "kwargs": {"a": 2}, "timelimit": (30.0, 20.0), "headers": {"tenant": "blue"}}
    with attempt(changes, **fields), pytest.raises(Retry) as raised:
        changes(**options)
    return raised.value.overrides


@app.task(bind=True, name="changes", typing=False)
def changes(self: Any, **options: Any) -> Any:
    raise self.retry(throw=False, **options)


def test_a_retry_that_changes_nothing_sends_nothing() -> None:
    assert overrides() is None
    assert overrides(queue=None, countdown=3, max_retries=9) is None


def test_other_arguments_are_for_the_next_attempt() -> None:
    assert overrides(args=[3]).payload.json == '{"args":[3],"kwargs":{"a":2}}'
    assert overrides(kwargs={"b": 4}).payload.json == '{"args":[1],"kwargs":{"b":4}}'
    with attempt(asks), pytest.raises(EncodeError):
        asks(kwargs={"countdown": object()})
    with attempt(asks), pytest.raises(TypeError, match="too many positional"):
        asks(args=[1])


def test_other_options_hold_from_the_retry_on() -> None:
    changed = overrides(queue="slow", priority=0, expires=60)
    assert (changed.queue, changed.priority, changed.HasField("priority")) == ("slow", 0, True)
    assert (changed.ttl.seconds, changed.HasField("payload")) == (60, False)
    until = datetime(2040, 1, 1, tzinfo=UTC)
    assert overrides(expires=until).expire_time.ToDatetime(tzinfo=UTC) == until


def test_a_limit_that_is_not_named_stays_as_it_is() -> None:
    limits = overrides(time_limit=90).time_limits
    assert (limits.hard.seconds, limits.soft.seconds) == (90, 20)
    limits = overrides(soft_time_limit=10).time_limits
    assert (limits.hard.seconds, limits.soft.seconds) == (30, 10)


def test_headers_are_added_to_those_there_are() -> None:
    assert dict(overrides(headers={"try": "2"}).headers) == {"tenant": "blue", "try": "2"}


def test_what_a_retry_cannot_change_is_refused() -> None:
    for option in ({"ignore_result": True}, {"task_id": "x"}, {"acks_late": False}):
        with attempt(asks), pytest.raises(TypeError, match=f"does not support the option '{next(iter(option))}'"):
            asks(**option)
    with attempt(asks), pytest.raises(TypeError, match="did you mean 'queue'"):
        asks(que="x")
    with attempt(asks), pytest.raises(ValueError, match="priority"):
        asks(priority=10)


def test_a_retry_raised_by_hand_waits_for_a_time_or_an_instant() -> None:
    assert Retry().delay == 0
    assert Retry(when=3).delay == 3
    assert Retry(when=timedelta(minutes=1)).delay == 60
    assert 3590 < Retry(when=datetime.now(UTC) + timedelta(hours=1)).delay <= 3600
    assert Retry(when=datetime.now(UTC) - timedelta(hours=1)).delay == 0


def test_what_a_task_raises_says_what_celerys_says() -> None:
    again = Retry(exc=OSError("away"), when=5)
    assert (str(again), again.message, again.excs, again.sig, again.is_eager) == (
        "Retry in 5s: OSError('away')", None, "OSError('away')", None, False,
    )  # fmt: skip
    assert (str(Retry("later", OSError("away"), 5)), Retry("later").message) == ("later", "later")
    assert (Retry(exc="as text").exc, Retry(exc="as text").excs) == (None, "as text")
    refused = Reject("why", requeue=True)
    assert (refused.reason, refused.requeue, str(refused)) == ("why", True, "why")
    assert repr(refused) == "reject requeue=True: why"
    assert (Reject().reason, str(Reject())) == (None, "")
    for one in (again, refused, Retry("later")):
        copied = pickle.loads(pickle.dumps(one))
        assert (str(copied), copied.args) == (str(one), one.args)
    assert (pickle.loads(pickle.dumps(refused)).requeue, pickle.loads(pickle.dumps(again)).when) == (True, 5)


def raising(error: BaseException, **options: Any) -> Any:
    def body() -> None:
        raise error

    return app.task(name=f"raising{random.getrandbits(64)}", **options)(body)


def test_autoretry_asks_for_the_errors_named_and_no_others() -> None:
    for error, is_retried in (
        (ConnectionError("x"), True),
        (FileNotFoundError("x"), False),
        (ValueError("x"), False),
        (Ignore(), False),
        (Reject(), False),
        (Retry(when=3), False),
    ):
        task = raising(error, autoretry_for=(OSError, Ignore, Reject), dont_autoretry_for=(FileNotFoundError,))
        with attempt(task), pytest.raises(Retry if is_retried else type(error)) as raised:
            task()
        if is_retried:
            assert isinstance(raised.value, Retry)
            assert (raised.value.exc, raised.value.delay) == (error, 180)
        else:
            assert raised.value is error


def test_autoretry_gives_up_with_the_error_itself() -> None:
    error = OSError("down")
    task = raising(error, autoretry_for=(OSError,), max_retries=2)
    with attempt(task, 3), pytest.raises(OSError) as raised:
        task()
    assert raised.value is error


def test_autoretry_backs_off() -> None:
    task = raising(OSError(), autoretry_for=(OSError,), retry_backoff=3, retry_jitter=False, retry_backoff_max=20)
    for number, delay in ((1, 3), (2, 6), (3, 12)):
        with attempt(task, number), pytest.raises(Retry) as raised:
            task()
        assert raised.value.delay == delay
    task = raising(OSError(), autoretry_for=(OSError,), retry_kwargs={"countdown": 9, "max_retries": 8})
    with attempt(task, 8), pytest.raises(Retry) as raised:
        task()
    assert raised.value.delay == 9


async def test_autoretry_holds_for_coroutines() -> None:
    @app.task(autoretry_for=(OSError,), default_retry_delay=4)
    async def fetch() -> None:
        raise OSError("down")

    assert fetch.is_async
    with attempt(fetch), pytest.raises(Retry) as raised:
        await fetch()
    assert raised.value.delay == 4


def test_backoff_doubles_up_to_its_maximum_and_jitter_draws_from_all_of_it() -> None:
    assert [backoff(1, retries, 600, False) for retries in (0, 1, 5, 10, 10**9)] == [1, 2, 32, 600, 600]
    drawn = [backoff(1, 3, 600, True) for _ in range(500)]
    assert 0 <= min(drawn) < 1
    assert 7 < max(drawn) <= 8


def test_progress_goes_where_the_worker_says() -> None:
    told: list[tuple[str, Any]] = []

    @app.task(bind=True)
    def counts(self: Any) -> None:
        self.update_state(state="PROGRESS", meta={"done": 1})
        self.update_state(meta=2)
        self.update_state(task_id=self.request.id)
        with pytest.raises(ValueError, match="running task only"):
            self.update_state(task_id="other")

    with attempt(counts, report_progress=lambda state, meta: told.append((state, meta))):
        counts()
    assert told == [("PROGRESS", {"done": 1}), ("", 2), ("", None)]


@pytest.mark.parametrize("state", ["SUCCESS", "FAILURE", "REVOKED", "REJECTED", "IGNORED"])
def test_a_task_cannot_say_that_it_has_ended(state: str) -> None:
    with attempt(asks), pytest.raises(ValueError, match=f"can't end a task as {state}"):
        asks.update_state(state=state)


def test_a_task_sees_that_it_should_stop() -> None:
    with attempt(asks, is_cancelled=lambda: True) as context:
        assert context.cancel_requested
        assert asks.request is context
    assert not asks.request.cancel_requested

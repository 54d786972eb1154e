"""The thin line: submitted, run, and its end read."""

import pytest

from caraway.exceptions import (
    EncodeError,
    MaxRetriesExceededError,
    PayloadError,
    PayloadTooLarge,
    SoftTimeLimitExceeded,
    TaskNotFound,
    TaskRejectedError,
    TimeLimitExceeded,
    TimeoutError,
)
from e2e import sample
from e2e.conftest import Gate
from support.processes import eventually

pytestmark = pytest.mark.usefixtures("worker")

SECONDS = 20
LIMIT = 3 * 1024 * 1024


def test_result_is_returned_and_the_task_says_that_it_ended_well() -> None:
    result = sample.add.delay(2, 2)
    assert result.get(timeout=SECONDS) == 4
    assert (result.state, result.successful(), result.failed(), result.ready()) == ("SUCCESS", True, False, True)
    assert result.traceback is None
    assert result.date_done is not None
    assert sample.app.AsyncResult(result.id).result == 4


async def test_async_twins() -> None:
    result = await sample.add_async.adelay(20, 3)
    assert await result.aget(timeout=SECONDS) == 23
    assert await result.astate() == "SUCCESS"


def test_a_thousand_in_a_batch_each_with_its_own_result() -> None:
    results = sample.app.submit_many(sample.add.s(number, 1) for number in range(1000))
    assert len({result.id for result in results}) == 1000
    assert [result.get(timeout=SECONDS) for result in results] == list(range(1, 1001))


def test_delay_inside_a_batch() -> None:
    with sample.app.batch():
        results = [sample.add.delay(number, number) for number in range(700)]
    assert [result.get(timeout=SECONDS) for result in results] == [2 * number for number in range(700)]


def test_failure_is_raised_again_as_its_own_class_with_its_arguments() -> None:
    result = sample.fail.delay("nails", 12)
    with pytest.raises(sample.OutOfStockError) as raised:
        result.get(timeout=SECONDS)
    assert raised.value.args == ("nails", 12)
    assert result.state == "FAILURE"
    assert "raise OutOfStockError(item, count)" in (result.traceback or "")
    assert isinstance(result.get(propagate=False), sample.OutOfStockError)


def test_autoretry_succeeds_on_the_third_attempt() -> None:
    result = sample.third_time_lucky.delay()
    assert result.get(timeout=SECONDS) == 3
    assert result.retries == 2


def test_retry_that_is_used_up_raises_what_it_was_for() -> None:
    result = sample.give_up.delay()
    with pytest.raises(sample.OutOfStockError):
        result.get(timeout=SECONDS)
    assert result.retries == 1
    assert not issubclass(sample.OutOfStockError, MaxRetriesExceededError)


def test_progress_is_seen_while_the_task_runs(gate: Gate) -> None:
    result = sample.report.delay(str(gate.release))
    eventually(lambda: result.state == "PACKING", SECONDS)
    assert result.info == {"done": 3, "of": 7}
    with pytest.raises(TimeoutError):
        result.get(timeout=0.05)
    gate.open()
    assert result.get(timeout=SECONDS) == "packed"


def test_hard_limit_kills() -> None:
    with pytest.raises(TimeLimitExceeded):
        sample.too_long.delay().get(timeout=SECONDS)
    assert sample.add.delay(1, 1).get(timeout=SECONDS) == 2


def test_soft_limit_raises_in_the_task() -> None:
    with pytest.raises(SoftTimeLimitExceeded):
        sample.told_to_stop.delay().get(timeout=SECONDS)


def test_wrong_arguments_are_an_error_of_the_caller_or_of_the_task() -> None:
    with pytest.raises(TypeError):
        sample.add.delay(1)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sample.app.send_task("e2e.sample.add", [1]).get(timeout=SECONDS)


def test_arguments_and_results_that_have_no_form() -> None:
    with pytest.raises(EncodeError):
        sample.add.delay(object(), 1)
    result = sample.unserializable.delay()
    with pytest.raises(PayloadError):
        result.get(timeout=SECONDS)


def test_payloads_over_the_limit() -> None:
    with pytest.raises(PayloadTooLarge):
        sample.add.delay("x" * LIMIT, "")
    with pytest.raises(PayloadError):
        sample.text.delay(LIMIT + 1).get(timeout=SECONDS)


def test_largest_arguments_and_largest_result_of_one_task() -> None:
    result = sample.add.delay("x" * (LIMIT - 100), "y")
    assert result.get(timeout=SECONDS)[-1] == "y"


def test_ignored_and_rejected() -> None:
    ignored = sample.ignored.delay()
    assert ignored.get(timeout=SECONDS) is None
    assert ignored.state == "IGNORED"
    rejected = sample.rejected.delay()
    with pytest.raises(TaskRejectedError):
        rejected.get(timeout=SECONDS)
    assert rejected.state == "REJECTED"


def test_ignore_result_keeps_the_state_alone() -> None:
    result = sample.app.AsyncResult(sample.add.apply_async((2, 2), ignore_result=True).id)
    assert result.get(timeout=SECONDS) is None
    assert result.state == "SUCCESS"


@pytest.mark.parametrize("how", ["call", "task", "by name", "signature", "link"])
async def test_get_of_an_ignored_result_waits_for_nothing(how: str) -> None:
    later = {"countdown": 3600}
    result = {
        "call": lambda: sample.add.apply_async((2, 2), ignore_result=True, **later),
        "task": lambda: sample.fail_unkept.apply_async(**later),
        "by name": lambda: sample.app.send_task(sample.add.name, (2, 2), ignore_result=True, **later),
        "signature": lambda: sample.fail_unkept.si().apply_async(**later),
        "link": lambda: sample.fail_unkept.apply_async(link=sample.add.si(1, 1), **later),
    }[how]()
    assert result.ignored
    assert result.get() is None
    assert await result.aget() is None
    assert result.state == "PENDING"
    result.revoke()
    assert not sample.fail_unkept.apply_async(ignore_result=False, **later).ignored


def test_what_the_task_is_told_about_itself() -> None:
    result = sample.context.apply_async(headers={"tenant": "blue"}, priority=7)
    told = result.get(timeout=SECONDS)
    assert told["id"] == result.id
    assert told["headers"]["tenant"] == "blue"
    assert (told["attempt"], told["queue"], told["priority"], told["redelivered"]) == (1, "e2e", 7, False)


def test_forgotten_and_unknown_ids_are_not_pending() -> None:
    result = sample.add.delay(1, 2)
    result.get(timeout=SECONDS)
    result.forget()
    with pytest.raises(TaskNotFound):
        sample.app.AsyncResult(result.id).get(timeout=SECONDS)
    with pytest.raises(TaskNotFound):
        _ = sample.app.AsyncResult("never-submitted").state

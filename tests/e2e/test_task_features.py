"""What a task does about itself, seen from the caller's side: retries that change it, aborts, classes, models."""

from pathlib import Path

import pytest

from caraway.contrib.abortable import ABORTED
from caraway.exceptions import TaskRevokedError, WorkerLostError
from e2e import sample
from support.processes import eventually

pytestmark = pytest.mark.usefixtures("worker")

SECONDS = 20


def test_a_retry_goes_on_with_other_arguments_and_options() -> None:
    result = sample.halve.apply_async((8,), headers={"tenant": "blue"})
    assert result.get(timeout=SECONDS) == [1, 3, 8, 50, "3"]
    assert result.retries == 3


def test_a_retry_moves_the_task_to_another_queue() -> None:
    result = sample.move_on.delay("e2e-elsewhere")
    eventually(lambda: result.queue == "e2e-elsewhere", SECONDS)
    assert result.state == "PENDING"
    result.revoke()


def test_a_retry_to_a_queue_that_cannot_be_fails_with_what_the_gateway_says() -> None:
    with pytest.raises(Exception, match=r"reports\.retry\.overrides\.queue"):
        sample.move_on.delay("no spaces").get(timeout=SECONDS)


def test_a_running_task_is_aborted_and_ends_as_it_likes(tmp_path: Path) -> None:
    result = sample.until_aborted.delay(str(tmp_path / "started"))
    eventually((tmp_path / "started").exists, SECONDS)
    assert not result.is_aborted()  # type: ignore[attr-defined]
    result.abort()  # type: ignore[attr-defined]
    assert result.get(timeout=SECONDS) == "stopped early"
    assert (result.state, result.is_aborted()) == ("SUCCESS", True)  # type: ignore[attr-defined]


def test_a_task_that_is_aborted_before_it_starts_never_does(tmp_path: Path) -> None:
    result = sample.until_aborted.apply_async((str(tmp_path / "started"),), countdown=600)
    result.abort()  # type: ignore[attr-defined]
    with pytest.raises(TaskRevokedError):
        result.get(timeout=SECONDS)
    assert result.state == ABORTED
    assert not (tmp_path / "started").exists()


def test_models_go_to_the_task_and_a_dict_comes_back() -> None:
    result = sample.order_more.delay(sample.Order(item="nails", count=1))
    assert result.get(timeout=SECONDS) == {"item": "nails", "count": 2}


def test_a_class_is_a_task_with_its_options_and_hooks(tmp_path: Path) -> None:
    result = sample.remember.delay("nails", str(tmp_path / "told"))
    assert result.get(timeout=SECONDS) == 2
    assert (tmp_path / "told").read_text() == f"{result.id}: OutOfStockError('nails', 0)"


def test_a_task_that_may_not_run_again_fails_when_its_process_dies() -> None:
    result = sample.die.delay()
    with pytest.raises(WorkerLostError, match="exit code 9") as raised:
        result.get(timeout=SECONDS)
    # Not LostLimitError, which it would end by after some more deaths.
    assert raised.type is WorkerLostError


def test_the_error_of_a_task_whose_result_is_ignored_is_kept() -> None:
    result = sample.app.AsyncResult(sample.fail_unkept.delay().id)
    with pytest.raises(sample.OutOfStockError):
        result.get(timeout=SECONDS)
    assert isinstance(result.info, sample.OutOfStockError)


def test_a_task_that_is_requeued_by_itself_burns_no_attempt() -> None:
    assert sample.requeue_once.delay().get(timeout=SECONDS) == [1, 2]

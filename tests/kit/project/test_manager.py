"""Manager: waits and assertions."""

import threading
from collections.abc import Iterator

import pytest

from caraway import Caraway
from caraway.contrib.testing.manager import Manager, Sentinel


@pytest.fixture
def manager(caraway_app: Caraway) -> Manager:
    return Manager(caraway_app, timeout=30)


@pytest.fixture
def gate(caraway_app: Caraway, request: pytest.FixtureRequest) -> Iterator[threading.Event]:
    """What the task `wait` waits for; with a worker that knows it."""
    event = threading.Event()

    @caraway_app.task(name="wait", track_started=True)
    def wait(value: object) -> object:
        assert event.wait(30)
        if value == "fail":
            raise KeyError(value)
        return value

    request.getfixturevalue("caraway_worker")
    yield event
    event.set()


def test_tasks_are_received_accepted_and_joined(manager: Manager, gate: threading.Event) -> None:
    running = manager.app.send_task("wait", (1,))
    manager.assert_accepted([running.id])
    manager.assert_received([running.id])
    manager.assert_result_tasks_in_progress_or_completed([running])
    assert manager.query_task_states(running.id) == {"active": {running.id}}
    assert manager.missing_results([running]) == [running.id]
    with pytest.raises(AssertionError, match=f"did not end in time: {running.id}"):
        manager.join(running, timeout=0.1)
    gate.set()
    assert manager.join(running) == 1
    assert manager.is_accepted([running.id]) is False


def test_an_error_is_given_or_raised(manager: Manager, gate: threading.Event) -> None:
    gate.set()
    result = manager.app.send_task("wait", ("fail",))
    assert isinstance(manager.join(result), KeyError)
    with pytest.raises(KeyError):
        manager.join(result, propagate=True)


def test_idle_is_when_nothing_waits_and_nothing_runs(manager: Manager, gate: threading.Event) -> None:
    results = [manager.app.send_task("wait", (number,)) for number in range(20)]
    manager.assert_accepted([results[0].id])
    threading.Timer(0.2, gate.set).start()
    manager.wait_until_idle()
    assert manager.inspect().active() is not None
    assert {result.state for result in results} <= {"SUCCESS", "REVOKED"}


def test_waiting_gives_what_comes_or_says_what_did_not(manager: Manager) -> None:
    errors: list[BaseException] = []
    answers = iter([0, 0, "it"])
    assert manager.wait_for(manager.true_or_raise, args=(lambda: next(answers),), errback=errors.append) == "it"
    assert [type(error) for error in errors] == [Sentinel, Sentinel]
    with pytest.raises(AssertionError, match="my thing: it did not come in time"):
        manager.wait_for(manager.true_or_raise, args=(lambda: False,), desc="my thing", timeout=0.05)
    manager.ensure_not_for_a_while(manager.true_or_raise, args=(lambda: False,), timeout=0.05)
    with pytest.raises(AssertionError, match="was not to come"):
        manager.ensure_not_for_a_while(manager.true_or_raise, args=(lambda: True,), timeout=0.05)


def test_a_remark_is_printed(manager: Manager, capsys: pytest.CaptureFixture[str]) -> None:
    manager.remark("so far", sep="+")
    assert capsys.readouterr().out == "+so far\n"

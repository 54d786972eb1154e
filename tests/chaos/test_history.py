"""The checker itself: each broken promise is seen."""

from pathlib import Path

import pytest

from caraway.v1 import task_pb2
from chaos.history import Expected, problems_of

State = task_pb2.Task.State


def make_task(state: "State.ValueType" = State.STATE_SUCCEEDED, attempt: int = 1, lost: int = 0) -> task_pb2.Task:
    task = task_pb2.Task(task_id="a", state=state, attempt=attempt, lost_count=lost)
    task.result.json = "4"
    return task


def problems(tmp_path: Path, runs: str, expected: Expected, task: task_pb2.Task | None) -> list[str]:
    runs_file = tmp_path / "runs"
    runs_file.write_text(runs)
    return problems_of([expected], {} if task is None else {"a": task}, runs_file)


def test_kept_promises_are_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, "a 1 1 1\n", Expected("a", 4), make_task()) == []
    assert problems(tmp_path, "a 1 1 1\na 2 1 2\n", Expected("a", 4), make_task(lost=1)) == []
    assert problems(tmp_path, "", Expected("a", 4, revoked="certain"), make_task(State.STATE_REVOKED, 0)) == []


def test_a_failover_may_forget_a_lease_and_explains_nothing_else(tmp_path: Path) -> None:
    def seen(runs: str) -> list[str]:
        (tmp_path / "runs").write_text(runs)
        return problems_of([Expected("a", 4)], {"a": make_task()}, tmp_path / "runs", failover=True)

    assert seen("a 1 1 1\na 2 1 1\n") == []  # delivery 1 twice, under two fences
    assert seen("a 1 1 1\na 1 1 1\n") == ["delivery 1 of a ran 2 times"]
    assert seen("a 1 1 1\na 2 1 2\n") == ["a ran 2 times: 1 attempts, 0 lost (STATE_SUCCEEDED)"]


@pytest.mark.parametrize(
    ("runs", "expected", "task", "seen"),
    [
        ("", Expected("a", 4), None, "is lost"),
        ("a 1 1 1\n", Expected("a", 9), make_task(), "returned"),
        ("a 1 1 1\na 1 1 1\n", Expected("a", 4), make_task(lost=1), "ran 2 times"),
        ("a 1 1 1\na 2 1 2\n", Expected("a", 4), make_task(), "1 attempts, 0 lost"),
        ("a 1 1 1\n", Expected("a", 4, failures=1), make_task(), "took 1 attempts"),
        ("", Expected("a", 4), make_task(), "succeeded with 0 runs"),
        ("a 1 1 1\n", Expected("a", 4), make_task(State.STATE_QUEUED), "ended as STATE_QUEUED"),
        ("a 1 1 1\n", Expected("a", 4, revoked="certain"), make_task(), "was revoked and succeeded"),
        ("a 1 1 1\n", Expected("a", 4), make_task(State.STATE_REVOKED), "ended as STATE_REVOKED"),
    ],
)
def test_broken_promises_are_seen(
    tmp_path: Path, runs: str, expected: Expected, task: task_pb2.Task | None, seen: str
) -> None:
    assert any(seen in problem for problem in problems(tmp_path, runs, expected, task))

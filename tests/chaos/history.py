"""Reads every task's history after the chaos: none lost, one outcome each, every extra run explained."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

BATCH = 500
State = task_pb2.Task.State


@dataclass(frozen=True)
class Expected:
    """What was accepted: the value it must return, the failures it must have had, whether it may be revoked."""

    task_id: str
    value: int
    failures: int = 0
    revoked: str = ""
    """"": never asked; "requested": may be revoked; "certain": the gateway said that it is."""


def read_tasks(
    stub: task_service_pb2_grpc.TaskServiceStub, ids: Sequence[str]
) -> tuple[dict[str, task_pb2.Task], list[str]]:
    """All tasks of these ids, and the ids of which there is none."""
    tasks: dict[str, task_pb2.Task] = {}
    missing: list[str] = []
    pending = list(ids)
    while pending:
        part, pending = pending[:BATCH], pending[BATCH:]
        request = task_service_pb2.BatchGetTasksRequest(task_ids=part, view=task_pb2.TASK_VIEW_FULL)
        response = stub.BatchGetTasks(request, timeout=10)
        tasks.update((task.task_id, task) for task in response.tasks)
        missing.extend(response.missing_task_ids)
        pending.extend(response.unread_task_ids)
    return tasks, missing


def problems_of(
    expected: Iterable[Expected], tasks: dict[str, task_pb2.Task], runs_file: Path, *, failover: bool = False
) -> list[str]:
    """Everything that contradicts the promises; empty when they were kept.

    Args:
        expected: what was accepted.
        tasks: as they ended.
        runs_file: a line a run: task id, fence, attempt, number of the delivery.
        failover: the primary was lost. A lease is not confirmed by replicas before it is given out: one that the new
            primary had not heard of is no lost delivery to it, and the next delivery has the same number again.
    """
    runs = [line.split() for line in runs_file.read_text().splitlines()]
    problems = [
        f"delivery {fence} of {task_id} ran {count} times"
        for (task_id, fence), count in Counter((run[0], run[1]) for run in runs).items()
        if count > 1
    ]
    # A run is a fence of a task; of those that share the number of a delivery a promoted store knows the last.
    counted = {(run[0], run[3] if failover else run[1]) for run in runs}
    run_counts = Counter(task_id for task_id, _ in counted)
    for item in expected:
        task = tasks.get(item.task_id)
        if task is None:
            problems.append(f"{item.task_id} is lost")
        else:
            problems.extend(_problems_of_one(item, task, run_counts[item.task_id]))
    return problems


def _problems_of_one(item: Expected, task: task_pb2.Task, runs: int) -> list[str]:
    problems = []
    name = State.Name(task.state)
    if task.state == State.STATE_SUCCEEDED:
        if task.result.json != str(item.value):
            problems.append(f"{item.task_id} returned {task.result.json!r}, not {item.value}")
        if task.attempt != item.failures + 1:
            problems.append(f"{item.task_id} took {task.attempt} attempts, not {item.failures + 1}")
        if runs < task.attempt:
            problems.append(f"{item.task_id} succeeded with {runs} runs in {task.attempt} attempts")
        if item.revoked == "certain":
            problems.append(f"{item.task_id} was revoked and succeeded")
    elif not (task.state == State.STATE_REVOKED and item.revoked):
        problems.append(f"{item.task_id} ended as {name}: {task.error.message}")
    # An attempt runs once; a further run has a lost delivery behind it.
    if runs > task.attempt + task.lost_count:
        problems.append(f"{item.task_id} ran {runs} times: {task.attempt} attempts, {task.lost_count} lost ({name})")
    return problems

"""Workers that a command is for, and their answers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from caraway.commands.connection import Session, exit_if
from caraway.control import Control
from caraway.destination import Destination
from caraway.readings import workers_there
from caraway.v1 import control_service_pb2

__all__ = ["choose", "conclude", "show_answers"]

_Worker = control_service_pb2.Worker


def choose(session: Session, wanted: Sequence[str]) -> tuple[list[_Worker], list[str]]:
    """Give the workers that are there, or of them the wanted ones, by name or id; and who is missing."""
    workers = workers_there(session.client)
    known = {name for worker in workers for name in (worker.worker_id, worker.info.name)}
    if wanted:
        workers = [worker for worker in workers if {worker.worker_id, worker.info.name} & set(wanted)]
    return workers, [name for name in wanted if name not in known]


def show_answers(
    session: Session, command: str, arguments: Mapping[str, Any] | None, workers: list[_Worker], timeout: timedelta
) -> int:
    """Have workers run a command, and show each answer as it comes; returns how many did not answer."""
    control = Control(SimpleNamespace(gateway=session.client))
    chosen = Destination.of([one.worker_id for one in workers])
    silent = len(workers)
    for name, answer in control.ask(command, arguments, chosen, timeout):
        silent -= 1
        if session.out.as_json:
            session.out.line("", {"worker": name, command: answer})
            continue
        lines = answer.get("ok", answer) if isinstance(answer, dict) else answer
        if isinstance(lines, dict):
            lines = "\n".join(f"{key}: {value}" for key, value in lines.items())
        session.out.block(f"-> {name}\n" + "\n".join(f"   {line}" for line in str(lines).splitlines()))
    return silent


def conclude(session: Session, workers: list[_Worker], missing: list[str], silent: int) -> None:
    """Say who was not there or silent, and exit with code 1 for that."""
    for name in missing:
        session.out.error(f"there is no worker {name}")
    if not workers and not missing:
        session.out.error("no worker is there")
    if silent:
        session.out.error(f"{silent} of {len(workers)} workers did not answer in time")
    exit_if(bool(missing or silent) or not workers)

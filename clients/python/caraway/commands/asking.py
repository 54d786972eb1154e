"""Workers that a command is for, and their answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from caraway.commands.connection import Session, exit_if
from caraway.control import Control
from caraway.destination import Destination
from caraway.readings import workers_there
from caraway.v1 import control_service_pb2
from caraway.worker.control import BY_PLACE

__all__ = ["APP_TIMEOUT", "Answers", "choose", "conclude", "read_arguments", "show_answers"]

_Worker = control_service_pb2.Worker


APP_TIMEOUT: Final = "5s"
"""How long commands of an app are waited for: the first has the worker start the process that runs them."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How many workers did not answer, and how many answered with an error."""

    silent: int = 0
    failed: int = 0


def read_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """Give arguments of a command by name; those that are not NAME=VALUE, by their place."""
    named: dict[str, Any] = {}
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if not sign or not name.isidentifier():
            named.setdefault(BY_PLACE, []).append(argument)
            continue
        try:
            named[name] = json.loads(value)
        except ValueError:
            named[name] = value
    return named


def choose(session: Session, wanted: Sequence[str]) -> tuple[list[_Worker], list[str]]:
    """Give the workers that are there, or of them the wanted ones, by name or id; and who is missing."""
    workers = workers_there(session.client)
    known = {name for worker in workers for name in (worker.worker_id, worker.info.name)}
    if wanted:
        workers = [worker for worker in workers if {worker.worker_id, worker.info.name} & set(wanted)]
    return workers, [name for name in wanted if name not in known]


def show_answers(
    session: Session, command: str, arguments: Mapping[str, Any] | None, workers: list[_Worker], timeout: timedelta
) -> Answers:
    """Have workers run a command, and show each answer as it comes."""
    control = Control(SimpleNamespace(gateway=session.client))
    chosen = Destination.of([one.worker_id for one in workers])
    silent, failed = len(workers), 0
    for name, answer in control.ask(command, arguments, chosen, timeout):
        silent -= 1
        failed += isinstance(answer, dict) and "error" in answer
        if session.out.as_json:
            session.out.line("", {"worker": name, command: answer})
            continue
        lines = answer.get("ok", answer) if isinstance(answer, dict) else answer
        if isinstance(lines, dict):
            lines = "\n".join(f"{key}: {value}" for key, value in lines.items())
        session.out.block(f"-> {name}\n" + "\n".join(f"   {line}" for line in str(lines).splitlines()))
    return Answers(silent, failed)


def conclude(session: Session, workers: list[_Worker], missing: list[str], answers: Answers) -> None:
    """Say who was not there or silent, and exit with code 1 for that, and for an error that was answered."""
    for name in missing:
        session.out.error(f"there is no worker {name}")
    if not workers and not missing:
        session.out.error("no worker is there")
    if answers.silent:
        session.out.error(f"{answers.silent} of {len(workers)} workers did not answer in time")
    exit_if(bool(missing or answers.silent or answers.failed) or not workers)

"""What handlers and the program tell each other, across processes: notes by stdout, releases by files."""

import json
import os
from pathlib import Path
from typing import Any

FOLDER = "CONFORMANCE_FOLDER"


def note(request: Any, what: str) -> None:
    """Write a note. Children have the program's stdout; a short line is written whole."""
    line = {"note": {"worker": request.hostname, "task_id": request.id, "what": what}}
    os.write(1, json.dumps(line).encode() + b"\n")


def release(worker: str, task_id: str) -> None:
    """Let the handler that holds a task go on."""
    _path(worker, task_id).touch()


def released(request: Any) -> bool:
    """Whether this run was released."""
    return _path(request.hostname, request.id).exists()


def _path(worker: str, task_id: str) -> Path:
    return Path(os.environ[FOLDER]) / f"{worker}.{task_id}"

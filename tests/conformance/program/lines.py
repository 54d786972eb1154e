"""Requests come as lines of JSON and run side by side; answers go out as lines."""

import json
import os
import sys
import threading
from typing import Any, Protocol

from conformance.program.failures import as_failure

_writing = threading.Lock()

Json = dict[str, Any]


class Role(Protocol):
    """What a program plays."""

    def answer(self, number: int, request: Json) -> Json:
        """Do what a request asks, and give the members of `ok`. What it raises is answered as an error."""


def say(line: Json) -> None:
    """Write a line."""
    with _writing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def serve(role: Role) -> None:
    """Answer all requests, each in a thread of its own, until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        threading.Thread(target=_answer, args=(role, request), daemon=True).start()
    os._exit(0)  # whatever is under way


def _answer(role: Role, request: Json) -> None:
    number = request["id"]
    try:
        say({"id": number, "ok": role.answer(number, request)})
    except Exception as error:
        say({"id": number, "error": as_failure(error)})

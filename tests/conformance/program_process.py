"""A language's program in one role: a process that reads requests and writes answers."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PATIENCE = 20.0
"""Seconds that anything of a case may take."""


class Pending:
    """What a request has been answered so far."""

    def __init__(self, came: threading.Condition, said: Callable[[], str]) -> None:
        self.events: list[Json] = []
        self.last: Json | None = None
        self._came = came
        self._said = said
        self._seen = 0

    def answer(self, timeout: float = PATIENCE) -> Json:
        """The final answer: with `ok`, or with `error`."""
        with self._came:
            self._wait(lambda: self.last is not None, timeout, "an answer")
        assert self.last is not None
        return self.last

    def event(self, fits: Callable[[Json], bool], timeout: float = PATIENCE) -> Json:
        """The first event that fits, of those that were not looked at yet."""

        def find() -> bool:
            while self._seen < len(self.events):
                self._seen += 1
                if fits(self.events[self._seen - 1]):
                    return True
            assert self.last is None, f"ended with {self.last}; its events: {self.events}"
            return False

        with self._came:
            self._wait(find, timeout, "such an event")
            return self.events[self._seen - 1]

    def _wait(self, check: Callable[[], bool], timeout: float, what: str) -> None:
        assert self._came.wait_for(check, timeout), f"no {what} within {timeout} s; events: {self.events}{self._said()}"


class ProgramProcess:
    """The process, its answers and its notes.

    Args:
        command: how it is started.
        log: where its stderr goes.
    """

    def __init__(self, command: list[str], log: Path, cwd: Path) -> None:
        self._log = log
        self._came = threading.Condition()
        self._pending: dict[int, Pending] = {}
        self._number = 0
        self.notes: list[Json] = []
        self.broken: list[str] = []
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, bufsize=1,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, do: str, **members: Any) -> Pending:
        """Send a request."""
        with self._came:
            self._number += 1
            pending = self._pending[self._number] = Pending(self._came, self.said)
            line = json.dumps({"id": self._number, "do": do, **members}, ensure_ascii=False)
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return pending

    def do(self, do: str, **members: Any) -> Json:
        """Send a request that is to succeed, and give the members of its `ok`."""
        answer = self.begin(do, **members).answer()
        assert "ok" in answer, f"{do}: {answer}{self.said()}"
        ok: Json = answer["ok"]
        return ok

    def note(self, fits: Callable[[Json], bool], timeout: float = PATIENCE) -> None:
        """Wait for a note that fits."""
        with self._came:
            came = self._came.wait_for(lambda: any(map(fits, self.notes)), timeout)
        assert came, f"no such note within {timeout} s; all notes: {self.notes}{self.said()}"

    def said(self) -> str:
        """The end of its log, and what was wrong with its lines."""
        tail = self._log.read_text(errors="replace")[-4000:]
        return f"\n{self.broken}\n--- the program's log ---\n{tail}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._came:
                try:
                    self._take(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    self.broken.append(f"{error!r}: {line[:500]}")
                self._came.notify_all()
        with self._came:
            for pending in self._pending.values():
                pending.last = pending.last or {"error": {"code": "UNEXPECTED", "message": "the program ended"}}
            self._came.notify_all()

    def _take(self, line: Json) -> None:
        if "note" in line:
            self.notes.append(line["note"])
        elif "event" in line:
            self._pending[line["id"]].events.append(line["event"])
        else:
            self._pending.pop(line["id"]).last = line

    def end(self) -> None:
        """Close its stdin, upon which it ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the program did not end with its stdin") from None
        self._close()

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

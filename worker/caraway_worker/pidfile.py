"""A file that holds the worker's process id, so that no two workers run where one is meant to."""

import os
from pathlib import Path


class PidFileTaken(Exception):
    """Another process that lives holds the file; the message says which."""


class PidFile:
    """`with PidFile(path):` holds it. A file that was left by a process that is no more is taken over."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # detached workers change their working directory

    def check(self) -> None:
        """Raise PidFileTaken if another process holds it."""
        pid = self._holder()
        if pid is not None and pid != os.getpid() and _lives(pid):
            raise PidFileTaken(f"{self._path} says that a worker runs already, as process {pid}")

    def __enter__(self) -> "PidFile":
        """Take it. Raises PidFileTaken and OSError."""
        while True:
            try:
                fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                self.check()
                self._path.unlink(missing_ok=True)
                continue
            with os.fdopen(fd, "w") as file:
                file.write(f"{os.getpid()}\n")
            return self

    def __exit__(self, *_exception: object) -> None:
        """Remove it, if it is still ours."""
        if self._holder() == os.getpid():
            self._path.unlink(missing_ok=True)

    def _holder(self) -> int | None:
        try:
            return int(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

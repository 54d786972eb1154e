"""Files that are taken again when they change, while the gateway runs."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caraway.settings import InvalidSettings

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Files that belong together.

    Attributes:
        what: they are, for the log.
        paths: where they are.
        load: takes them; where it raises InvalidSettings, everything is as it was.
    """

    what: str
    paths: tuple[Path, ...]
    load: Callable[[], None]


class Reloader:
    """Looks at files once a second.

    Their content is compared, not their times: a file may change twice within a tick of its file system's clock, and a
    link may be turned to another file.

    Args:
        sets: what to look at; each has been loaded once.
    """

    def __init__(self, sets: Sequence[Reloaded]) -> None:
        self._sets = sets
        self._seen: list[tuple[bytes | None, ...]] = []

    def load(self) -> None:
        """Loads all for the first time.

        Raises:
            InvalidSettings: something is wrong with a file.
        """
        # Read before they are loaded: what changes in between is then seen as a change.
        self._seen = [_contents(one.paths) for one in self._sets]
        for one in self._sets:
            one.load()

    async def run(self) -> None:
        """Never returns; cancel it."""
        while True:
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.8, 1.0))
            self.look()

    def look(self) -> None:
        """Loads what has changed. What is wrong is logged once, and what was loaded before stays in use."""
        for index, one in enumerate(self._sets):
            contents = _contents(one.paths)
            if contents == self._seen[index]:
                continue
            self._seen[index] = contents
            try:
                one.load()
            except InvalidSettings as error:
                _log.error("the %s changed and can't be used; those before stay in use: %s", one.what, error)
            else:
                _log.info("the %s changed, and are in use now", one.what)


def _contents(paths: Sequence[Path]) -> tuple[bytes | None, ...]:
    return tuple(map(_content, paths))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

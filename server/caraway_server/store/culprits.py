"""The tasks because of which others failed: their records are read with those of the others."""

from collections.abc import Sequence
from dataclasses import replace

from caraway_server.core.task import Record, State
from caraway_server.store import keys
from caraway_server.store.codec import record_from
from caraway_server.store.runner import Runner

# What says why a task failed; the rest of its record is not needed.
_FIELDS = ("s", "n", "q", "p", "r", "c", "f", "E", "Cr")


class Culprits:
    """Reads them.

    Args:
        runner: reads.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def added_to(self, records: Sequence[Record | None]) -> list[Record | None]:
        """The records; those that failed because of another task with that task's, where there still is one."""
        names = {record.blame for record in records if record is not None and record.blame and record.culprit is None}
        if not names:
            return list(records)
        culprits = await self.read(sorted(names))
        return [
            record if record is None or not record.blame else replace(record, culprit=culprits.get(record.blame))
            for record in records
        ]

    async def read(self, task_ids: Sequence[str]) -> dict[str, Record]:
        """Those that there are, without arguments and results."""
        rows = await self._runner.read([("HMGET", keys.task(task_id), *_FIELDS) for task_id in task_ids])
        found = {}
        for task_id, row in zip(task_ids, rows, strict=True):
            fields = {name.encode(): value for name, value in zip(_FIELDS, row, strict=True) if value is not None}
            if fields and int(fields[b"s"]) != State.TOMBSTONE:
                record = record_from(task_id, {**fields, b"t": b""})
                if record is not None:
                    found[task_id] = record
        return found

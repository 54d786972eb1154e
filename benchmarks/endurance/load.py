"""A steady stream of tasks, from a thread of this process."""

import threading
import time

from caraway_tasks import noop

from caraway import Caraway

PERIOD = 0.05  # seconds between two batches


class Load:
    """Submits `rate` no-ops a second; while the gateway is away it waits, and does not make up for it.

    Args:
        target: the gateway's address.
        rate: tasks a second.
        keep_ids: whether the ids of what was accepted are kept.
    """

    def __init__(self, target: str, rate: float, *, keep_ids: bool = False) -> None:
        self._app = Caraway(target=target)
        self._batch = max(1, round(rate * PERIOD))
        self._keep_ids = keep_ids
        self._stopped = threading.Event()
        self.accepted = 0
        self.ids: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        following = time.monotonic()
        while not self._stopped.is_set():
            results = self._app.submit_many(
                self._app.signature(noop.name, (n,)) for n in range(self._batch)
            )  # repeated with the same ids until it is confirmed
            self.accepted += len(results)
            if self._keep_ids:
                self.ids += [result.id for result in results]
            following = max(following + PERIOD, time.monotonic() - PERIOD)
            self._stopped.wait(following - time.monotonic())

    def check(self) -> None:
        """SystemExit where it gave up."""
        if not self._thread.is_alive() and not self._stopped.is_set():
            raise SystemExit(
                "caraway: the producer gave up: the gateway stayed away longer than the SDK repeats a call"
            )

    def stop(self) -> None:
        """Submit no more; returns when the last batch is confirmed."""
        self._stopped.set()
        self._thread.join(60)
        self._app.close()

"""The parts of a worker, for who looks at them from outside."""

from collections.abc import Mapping
from dataclasses import dataclass

from caraway_worker.delivery import Delivery
from caraway_worker.pool import Pool
from caraway_worker.renewal import Renewal
from caraway_worker.reports import Reporter
from caraway_worker.shutdown import Shutdown
from caraway_worker.stream import LeaseStream


@dataclass(slots=True)
class Parts:
    """What a worker is made of; `stream` and `reporter` are there once its app is loaded."""

    pool: Pool
    held: Mapping[str, Delivery]
    renewal: Renewal
    shutdown: Shutdown
    stream: LeaseStream | None = None
    reporter: Reporter | None = None

    def why_not_ready(self) -> str:
        """Return why it takes no tasks, or ""."""
        if self.shutdown.asked.is_set():
            return "it is shutting down"
        if self.stream is None:
            return "it loads the app"
        return "" if self.stream.is_connected else "it has no stream to the gateway"

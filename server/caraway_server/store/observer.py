"""Who is told what the store was asked and what came of it: the gateway's metrics, or nobody."""

from collections.abc import Mapping, Sequence

from caraway_server.store.batches import NewNode
from caraway_server.store.values import Lease, NewTask, Report, Reported, Submitted


class StoreObserver:
    """Told of calls as a whole, never of a task by itself, so that nobody's listening costs next to nothing."""

    def called(self, name: str, seconds: float, *, failed: bool) -> None:
        """A round trip: the script's name, or what was read, and how long the answer took."""

    def submitted(self, tasks: Sequence[NewTask], answers: Sequence[Submitted]) -> None:
        """Tasks were handed in."""

    def joined(self, nodes: Sequence[NewNode], word: str) -> None:
        """Nodes of a workflow were handed in together: one word for all, as `Accepted` and `Appended` have it."""

    def leased(self, leases: Sequence[Lease]) -> None:
        """Deliveries were handed out."""

    def reported(self, reports: Sequence[Report], answers: Sequence[Reported]) -> None:
        """Workers' reports were applied, or were not."""

    def taken_back(self, count: int) -> None:
        """So many leases ran out."""

    def ended(self, counts: Mapping[int, int]) -> None:
        """So many tasks came to an end, by state, whatever ended them."""


NOBODY = StoreObserver()

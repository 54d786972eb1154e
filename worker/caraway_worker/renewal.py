"""Until when the leases are certainly held."""

from caraway_worker.delivery import Delivery


class Renewal:
    """Knows when the gateway last confirmed that it had heard of our leases.

    A lease counts from its receipt, or from the sending of the last heartbeat that was answered: the later of the two.
    That is never later than the store's own count by more than the way of a message, so a worker that hears nothing
    stops when another one may start.
    """

    __slots__ = ("_confirmed", "lease_duration")

    def __init__(self) -> None:
        self.lease_duration = 15.0
        self._confirmed = float("-inf")

    def confirm(self, sent: float) -> None:
        """A heartbeat or Hello sent at this time (of the loop's clock, in seconds) was answered."""
        self._confirmed = max(self._confirmed, sent)

    @property
    def confirmed(self) -> float:
        """When that was: the time (of the loop's clock) at which what was answered had been sent; -inf: never."""
        return self._confirmed

    def holds_until(self, delivery: Delivery) -> float:
        """Return the time until which the lease of this delivery is surely held."""
        return max(delivery.received, self._confirmed) + self.lease_duration

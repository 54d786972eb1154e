"""How much the gateway may send: cumulative allowances on one stream."""

MOST_BYTES = 32 * 1024 * 1024


class Credit:
    """Counts what came and says what may come. Allowances never shrink: to take less, nothing is granted."""

    def __init__(self) -> None:
        self.lease_allowance = 0
        self.byte_allowance = 0
        self._leases = 0
        self._bytes = 0

    def receive(self, count: int, size: int) -> None:
        """Leases came: how many, and how many bytes in all."""
        self._leases += count
        self._bytes += size

    def grow(self, wanted: int, held: int, held_bytes: int) -> bool:
        """Grant what is missing; True: the allowances grew by enough to be worth a message.

        Arguments: `wanted` is how many leases should be held, `held` how many are, `held_bytes` their size.
        """
        lease_room = wanted - held - (self.lease_allowance - self._leases)
        byte_room = MOST_BYTES - held_bytes - (self.byte_allowance - self._bytes)
        # A grant for every ended task would double the messages: a quarter of the whole is soon enough.
        if lease_room * 4 < wanted and byte_room * 4 < MOST_BYTES:
            return False
        if lease_room <= 0 and byte_room * 4 < MOST_BYTES:
            return False
        self.lease_allowance += max(0, lease_room)
        self.byte_allowance += max(0, byte_room)
        return True

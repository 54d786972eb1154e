"""What a pool's way of running tasks is made of."""

from typing import Protocol

from caraway_worker.child_slot import ChildSlot
from caraway_worker.execute import Executor


class RunnerHome(Protocol):
    """The child that a runner runs in."""

    executor: Executor

    @property
    def slots(self) -> list[ChildSlot]:
        """All its slots."""

    def receive(self, flags: int = 0) -> list[tuple[ChildSlot, bytes]] | None:
        """Wait for assignments; None: no more will come."""

    def fileno(self) -> int:
        """Return the descriptor of what `receive` reads from."""


class Runner(Protocol):
    """Runs the assignments of a child."""

    def run(self) -> None:
        """Run what is assigned until no more will come and all has ended."""

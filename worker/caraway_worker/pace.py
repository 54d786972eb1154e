"""How many tasks a child may hold at once: enough to keep it busy for 50 ms, by the run times that were measured."""

TARGET_SECONDS = 0.05
MOST_PER_CHILD = 128
_WEIGHT = 1 / 8


class Pace:
    """A running average of run times.

    It starts as if tasks were long, one a child, and learns within some tens of tasks that they are short. One sample
    counts at most 50 ms, so that a single long task among short ones is soon forgotten.
    """

    __slots__ = ("_mean",)

    def __init__(self) -> None:
        self._mean = TARGET_SECONDS

    def add(self, run_time: float) -> None:
        """Take in the run time of a task, in seconds."""
        self._mean += (min(run_time, TARGET_SECONDS) - self._mean) * _WEIGHT

    @property
    def per_child(self) -> int:
        """How many tasks a child should hold, the running one included."""
        return max(1, min(MOST_PER_CHILD, int(TARGET_SECONDS / max(self._mean, 1e-6) + 1e-9)))

"""How the worker is told to end, and how soon: warm, soft, cold, hard, as Celery's users know it."""

import asyncio
import enum
import logging
import signal
from collections.abc import Callable

logger = logging.getLogger("caraway.worker")


class Stage(enum.IntEnum):
    """How far the end has come.

    WARM: no more is taken, what runs is waited for. SOFT: as WARM, until a timeout. COLD: what runs is killed and
    handed back. HARD: the worker goes, whatever is not reported yet; leases that it still holds lapse.
    """

    RUNNING = 0
    WARM = 1
    SOFT = 2
    COLD = 3
    HARD = 4


class Shutdown:
    """Goes from stage to stage, never back.

    TERM and INT ask for a warm shutdown, and for a cold one if they come again; QUIT asks for a cold one at once. What
    is to become cold is soft first, if there is a timeout for that. Asked once more, a cold shutdown becomes hard.
    """

    def __init__(self, soft_timeout: float = 0.0, remap_term: bool = False) -> None:
        """Durations in seconds; `remap_term`: TERM is taken as QUIT."""
        self.stage = Stage.RUNNING
        self.asked = asyncio.Event()  # WARM or beyond
        self.cold = asyncio.Event()  # COLD or beyond
        self.hard = asyncio.Event()
        self._soft_timeout = soft_timeout
        self._quits = {signal.SIGQUIT, signal.SIGTERM} if remap_term else {signal.SIGQUIT}
        self._timer: asyncio.TimerHandle | None = None
        self._sign = ""
        self.tell: Callable[[Stage, str], None] = lambda _stage, _sign: None  # hears of each stage, and of the signal

    def on_signal(self, sign: signal.Signals) -> None:
        """A signal came."""
        self._sign = sign.name
        if self.stage is Stage.RUNNING and sign not in self._quits:
            self._enter(Stage.WARM)
        else:
            self.hurry()

    def begin(self) -> None:
        """End warmly, unless the end has begun."""
        if self.stage is Stage.RUNNING:
            self._enter(Stage.WARM)

    def hurry(self) -> None:
        """Go on to the next stage that is sooner over."""
        if self.stage >= Stage.COLD:
            self._enter(Stage.HARD)
        elif self.stage < Stage.SOFT and self._soft_timeout > 0:
            self._enter(Stage.SOFT)
            self._timer = asyncio.get_running_loop().call_later(self._soft_timeout, self.freeze)
        else:
            self.freeze()

    def freeze(self) -> None:
        """End coldly, unless that has begun."""
        if self.stage < Stage.COLD:
            self._enter(Stage.COLD)

    def close(self) -> None:
        """The end has come."""
        if self._timer is not None:
            self._timer.cancel()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        logger.info("%s shutdown", stage.name.lower())
        self.tell(stage, self._sign)
        self.asked.set()
        if stage >= Stage.COLD:
            self.cold.set()
        if stage >= Stage.HARD:
            self.hard.set()

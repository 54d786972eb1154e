"""A gateway with a store of its own inside of another program: for tests, where nothing is kept."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from caraway_server.app import Gateway
from caraway_server.edge import Edge
from caraway_server.embedded import LONGEST_SOCKET_PATH, EmbeddedStore
from caraway_server.settings import Settings

_START_SECONDS = 30.0
_LONGEST_FOLDER = LONGEST_SOCKET_PATH - len("/caraway-12345678/valkey.sock")


class InProcessGateway:
    """Runs in the event loop that starts it, on a free port of this machine's own; its data go with it."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._folder: Path | None = None
        self._store: EmbeddedStore | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Starts it; returns its address once it is open.

        Raises:
            StoreUnfit, StoreUnavailable: its store does not start.
            OSError: no port can be had.
        """
        # The path of a unix socket must be short, and that of pytest's own folders is not.
        folder = tempfile.gettempdir() if len(tempfile.gettempdir()) < _LONGEST_FOLDER else "/tmp"  # noqa: S108
        self._folder = Path(tempfile.mkdtemp(prefix="caraway-", dir=folder))
        settings = Settings(listen="127.0.0.1:0", data_dir=self._folder, fsync="no")
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            self._store = EmbeddedStore(self._folder, settings.fsync)
            await self._store.start()
            gateway = Gateway(settings, self._store.url, Edge(settings))
            await gateway.examine_store(self._stopped)
            self._serving = asyncio.create_task(gateway.serve(self._stopped, listening.set_result))
            # It ends only where it can't listen, and then raises why.
            self._serving.add_done_callback(lambda serving: _fail(listening, serving))
            return f"127.0.0.1:{await asyncio.wait_for(listening, _START_SECONDS)}"
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends it, its store and its data."""
        self._stopped.set()
        if self._serving is not None:
            await asyncio.wait({self._serving})
        if self._store is not None:
            await self._store.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _fail(listening: "asyncio.Future[int]", serving: "asyncio.Task[None]") -> None:
    if not listening.done():
        listening.set_exception(serving.exception() or OSError("the gateway ended before it listened"))

"""The role `worker`: workers of this process, whose tasks run in child processes."""

import asyncio
import os
import tempfile
import threading
from typing import Any

from caraway_worker.in_process import InProcessWorker
from conformance.program.handlers import make_app
from conformance.program.notes import FOLDER, release
from conformance.program.settings import connection

HANDLERS = "conformance.program.handlers"
PATIENCE_SECONDS = 600.0


class WorkerRole:
    """Starts and ends workers, all on one event loop."""

    def __init__(self) -> None:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="cw")
        self._workers: dict[str, InProcessWorker] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def answer(self, _number: int, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks."""
        worker = request["worker"]
        match request["do"]:
            case "start":
                self._run(self._start(worker, request))
            case "drain":
                self._run(self._workers.pop(worker).stop())
            case "stop":
                self._run(self._workers.pop(worker).stop(at_once=True))
            case "release":
                release(worker, request["task_id"])
            case unknown:
                raise LookupError(f"a worker can't {unknown!r}")
        return {}

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self, name: str, request: dict[str, Any]) -> None:
        names = request.get("handlers")
        app = make_app(names, target=connection(request)["target"])
        settings = connection(request)
        settings.pop("target")
        found = f"{HANDLERS}:app" if names is None else f"{HANDLERS}:only_{'_and_'.join(names)}"
        worker = InProcessWorker(
            app, found, PATIENCE_SECONDS,
            {"name": name, "queues": tuple(request["queues"]), "concurrency": request["concurrency"], **settings},
        )  # fmt: skip
        await worker.start()
        self._workers[name] = worker

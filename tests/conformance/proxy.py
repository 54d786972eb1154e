"""A TCP proxy before a gateway: cuts connections, or lets nothing through for a time."""

import asyncio
import contextlib
import threading


class Proxy:
    """Listens on a port of its own and passes all on to `target`; made and used from outside of its loop."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._flows = self._call(self._made_event())
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Reset all connections; new ones are taken."""
        self._call(self._cut())

    def stall(self) -> None:
        """Let nothing through, either way, of old connections and new ones, until `flow`."""
        self._call(self._set(False))

    def flow(self) -> None:
        """Let all through again."""
        self._call(self._set(True))

    def close(self) -> None:
        """End it."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, coroutine):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _made_event(self) -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    async def _set(self, flows: bool) -> None:
        self._flows.set() if flows else self._flows.clear()

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there = None
        try:
            there_reader, there = await asyncio.open_connection(self._host, self._port)
            self._open |= {writer, there}
            await asyncio.gather(self._pass(reader, there), self._pass(there_reader, writer))
        except OSError:
            pass  # one of the two is gone, and so the other goes
        finally:
            self._tasks.discard(task)
            for each in (writer, there):
                if each is not None:
                    self._open.discard(each)
                    each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

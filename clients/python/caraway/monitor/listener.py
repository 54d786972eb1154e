"""A small HTTP listener on the event loop itself, so that its answer shows that the loop turns."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

__all__ = ["Listener", "Scrape"]

Scrape = Callable[[], Awaitable[tuple[str, bytes]]]
"""Gives the content type and the text of all metrics."""

_MOST_CONNECTIONS: Final = 32
_MOST_HEAD_BYTES: Final = 16 * 1024
_REQUEST_SECONDS: Final = 10.0
_TEXT: Final = "text/plain; charset=utf-8"
_REASONS: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

_Answer = tuple[int, str, bytes]


class Listener:
    """Answers GET /metrics, /healthz and /readyz, one request a connection.

    Arguments: `address` is HOST:PORT, port 0 takes a free one; `why_not_ready` gives "" or the reason, a line of text.
    """

    def __init__(self, address: str, scrape: Scrape, why_not_ready: Callable[[], str]) -> None:
        self._address = address
        self._scrape = scrape
        self._why_not_ready = why_not_ready
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        """Listen. Returns the address with its real port; raises OSError, which names the setting."""
        host, _, port = self._address.rpartition(":")
        try:
            self._server = await asyncio.start_server(
                self._serve, host.strip("[]"), int(port), limit=_MOST_HEAD_BYTES, start_serving=True
            )
        except OSError as error:
            raise OSError(f"--metrics-bind {self._address}: {error.strerror or error}") from error
        return f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= _MOST_CONNECTIONS:
            writer.close()
            return
        self._open.add(writer)
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_packed(head, await self._answer(head)))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, slow or no HTTP client
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> _Answer:
        method, _, rest = head.partition(b" ")
        if method not in (b"GET", b"HEAD"):
            return 405, _TEXT, b"only GET and HEAD are answered\n"
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path == b"/metrics":
            return (200, *await self._scrape())
        if path == b"/healthz":
            return 200, _TEXT, b"ok\n"
        if path == b"/readyz":
            reason = self._why_not_ready()
            return (503, _TEXT, f"not ready: {reason}\n".encode()) if reason else (200, _TEXT, b"ready\n")
        return 404, _TEXT, b"there are /metrics, /healthz and /readyz\n"


def _packed(head: bytes, answer: _Answer) -> bytes:
    status, content_type, body = answer
    top = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return top.encode() if head.startswith(b"HEAD ") else top.encode() + body

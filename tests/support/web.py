"""A web service for tests, in a process of its own, and requests to it."""

import http.client
import json
import sys
from typing import Any

from support.processes import Running

SECONDS = 30


class WebService:
    """`uvicorn APP` on a free port.

    Args:
        app: the ASGI application, as "module:attribute".
        env: added to this process's environment.
    """

    def __init__(self, app: str, env: dict[str, str] | None = None) -> None:
        self.running = Running([sys.executable, "-m", "uvicorn", app, "--port", "0"], env=env)
        line = self.running.wait_for_line("running on http://")
        self._address = line.split("http://")[1].split()[0]

    def begin(self, method: str, path: str, document: Any = None) -> http.client.HTTPConnection:
        """Sends a request, without waiting for its answer."""
        connection = http.client.HTTPConnection(self._address, timeout=SECONDS)
        connection.request(method, path, None if document is None else json.dumps(document))
        return connection

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Sends a request and reads its answer."""
        return answer(self.begin(method, path, document))


def answer(connection: http.client.HTTPConnection) -> Any:
    """What came back: a document, or the status where there is none or it is an error's."""
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return json.loads(body) if body and response.status < 300 else response.status

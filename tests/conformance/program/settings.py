"""How a request says that the gateway is reached."""

from typing import Any


def connection(request: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of a Caraway, and of a worker's settings."""
    secure = "ca" in request
    given = {"token": "token", "tls_ca": "ca", "tls_cert": "cert", "tls_key": "key"}
    return {
        "target": f"{'grpcs://' if secure else ''}{request['target']}",
        **{name: request[member] for name, member in given.items() if request.get(member)},
    }

"""Fixtures of API tests: a client of the session's gateway, and of gateways of a test's own."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from api.wire import Api
from caraway.ids import uuid7
from support.gateway import GatewayProcess


@pytest.fixture
def connect() -> Iterator[Callable[..., Api]]:
    """Makes clients; they end with the test."""
    made: list[Api] = []

    def make(target: str, channel: grpc.Channel | None = None) -> Api:
        made.append(Api(target, channel))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(gateway: GatewayProcess, connect: Callable[..., Api]) -> Api:
    """A client of the session's gateway."""
    return connect(gateway.target)


@pytest.fixture
def queue() -> str:
    """A queue of the test's own."""
    return uuid7()

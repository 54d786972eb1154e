"""Fixtures of the SDK's tests."""

from collections.abc import Iterator

import pytest

from caraway import Caraway
from support.played import PlayedGateway


@pytest.fixture
def played() -> Iterator[PlayedGateway]:
    """A gateway in this process that a test tells what to answer."""
    gateway = PlayedGateway()
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def app(played: PlayedGateway) -> Iterator[Caraway]:
    """An app of the played gateway."""
    app = Caraway("proj", target=played.target)
    yield app
    app.close()

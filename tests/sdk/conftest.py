"""Fixtures of the SDK's tests."""

from collections.abc import Iterator

import pytest

from caraway import Caraway, current
from support.played import PlayedGateway


@pytest.fixture(autouse=True)
def own_shared_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test shares among apps, and what was shared before it, other tests do not see."""
    monkeypatch.setattr("caraway.app.finalizing._binders", [])


@pytest.fixture
def nobody() -> Iterator[None]:
    """There is no app yet."""
    with current.kept():
        current.set_default(None)
        current.set_current(None)
        yield


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

"""The kit of store tests: a flushed store of each kind, whose end state every test leaves consistent."""

from collections.abc import AsyncIterator

import pytest

from caraway_server.store.connection import connect
from store.flows import Flows
from store.kit import Kit
from support.stores import StoreProcess


@pytest.fixture
async def bare_kit(store_process: StoreProcess) -> AsyncIterator[Kit]:
    """A kit whose store nobody examines afterwards: for tests that damage it."""
    redis = connect(store_process.url)
    await redis.flushall()
    yield Kit(redis)
    await redis.aclose()


@pytest.fixture
def flows(kit: Kit) -> Flows:
    """Workflows on the kit's store."""
    return Flows(kit)


@pytest.fixture
async def kit(bare_kit: Kit) -> AsyncIterator[Kit]:
    """A kit; after the test every index must agree with the records."""
    yield bare_kit
    found = await bare_kit.wrong()
    assert not found, "\n".join(found)

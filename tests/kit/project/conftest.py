"""A user's project that is tested with Caraway's fixtures; run by test_kit.py in a pytest process of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
import shop

from caraway import Caraway
from caraway.contrib.testing.app import in_process_gateway
from caraway.contrib.testing.worker import TestWorkController, start_worker


@pytest.fixture(scope="session")
def celery_config() -> dict[str, Any]:
    return {"broker_url": "memory://", "default_queue": "from-config"}


@pytest.fixture(scope="session")
def caraway_worker_parameters() -> dict[str, Any]:
    return {"shutdown_timeout": 5, "without_heartbeat": False}


@pytest.fixture(scope="session")
def caraway_includes() -> tuple[str, ...]:
    return ("included",)


@pytest.fixture(scope="session")
def celery_class_tasks() -> list[Any]:
    return [shop.Count]


@pytest.fixture(scope="module")
def shop_app() -> Iterator[Caraway]:
    with in_process_gateway(shop.app):
        yield shop.app


@pytest.fixture(scope="module")
def shop_worker(shop_app: Caraway) -> Iterator[TestWorkController]:
    with start_worker(shop_app, pool="prefork", concurrency=1) as worker:
        yield worker

"""Fixtures for pytest, there wherever caraway is installed: an app, its gateway and a worker in the tests' process.

Each has Celery's name beside its own (`celery_app` and `caraway_app`): override either.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

import pytest

from caraway.app import Caraway
from caraway.contrib.testing.app import TestApp, setup_default_app
from caraway.contrib.testing.worker import TestWorkController, start_worker
from caraway.current import kept

_MARKS = ("caraway", "celery")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    for mark in _MARKS:
        config.addinivalue_line("markers", f"{mark}(**settings): settings of this test's app, over {mark}_config")


# What tests override. The ones of Caraway's own names follow Celery's.


@pytest.fixture(scope="session")
def celery_config() -> dict[str, Any]:
    """As caraway_config."""
    return {}


@pytest.fixture(scope="session")
def caraway_config(celery_config: dict[str, Any]) -> dict[str, Any]:
    """Override: settings of the app. Without `target` (or `broker_url`) it gets a gateway of the tests' own."""
    return celery_config


@pytest.fixture(scope="session")
def celery_parameters() -> Mapping[str, Any]:
    """As caraway_parameters."""
    return {}


@pytest.fixture(scope="session")
def caraway_parameters(celery_parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Override: further arguments of the app's constructor, for example `task_cls`."""
    return celery_parameters


@pytest.fixture(scope="session")
def celery_enable_logging() -> bool:
    """As caraway_enable_logging."""
    return False


@pytest.fixture(scope="session")
def caraway_enable_logging(celery_enable_logging: bool) -> bool:
    """Override: whether the workers log at INFO; else at what the program has set up."""
    return celery_enable_logging


@pytest.fixture(scope="session")
def celery_includes() -> tuple[str, ...]:
    """As caraway_includes."""
    return ()


@pytest.fixture(scope="session")
def caraway_includes(celery_includes: Any) -> Any:
    """Override: names of modules to import before the session's worker starts."""
    return celery_includes


@pytest.fixture(scope="session")
def celery_worker_pool() -> str:
    """As caraway_worker_pool."""
    return "solo"


@pytest.fixture(scope="session")
def caraway_worker_pool(celery_worker_pool: Any) -> Any:
    """Override: the workers' pool; see start_worker."""
    return celery_worker_pool


@pytest.fixture(scope="session")
def celery_worker_parameters() -> Mapping[str, Any]:
    """As caraway_worker_parameters."""
    return {}


@pytest.fixture(scope="session")
def caraway_worker_parameters(celery_worker_parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Override: further arguments of start_worker, for example `queues` or `shutdown_timeout`."""
    return celery_worker_parameters


@pytest.fixture(scope="session")
def celery_class_tasks() -> Sequence[Any]:
    """As caraway_class_tasks."""
    return ()


@pytest.fixture(scope="session")
def caraway_class_tasks(celery_class_tasks: Sequence[Any]) -> Sequence[Any]:
    """Override: classes of tasks, which a worker's app is given before it starts."""
    return celery_class_tasks


@pytest.fixture(scope="session")
def use_celery_app_trap() -> bool:
    """As use_caraway_app_trap."""
    return False


@pytest.fixture(scope="session")
def use_caraway_app_trap(use_celery_app_trap: bool) -> bool:
    """Override: whether it is an error to use a current app where none is named."""
    return use_celery_app_trap


# Apps and workers.


@pytest.fixture(scope="session")
def caraway_session_app(
    caraway_config: dict[str, Any], caraway_parameters: Mapping[str, Any], use_caraway_app_trap: bool
) -> Iterator[Caraway]:
    """An app for the whole session."""
    with _app(caraway_config, caraway_parameters, use_caraway_app_trap) as app:
        yield app


@pytest.fixture(scope="session")
def celery_session_app(caraway_session_app: Caraway) -> Caraway:
    """The caraway_session_app."""
    return caraway_session_app


@pytest.fixture(scope="session")
def caraway_session_worker(
    celery_session_app: Caraway,
    caraway_includes: Any,
    caraway_class_tasks: Sequence[Any],
    caraway_worker_pool: Any,
    caraway_worker_parameters: Mapping[str, Any],
    caraway_enable_logging: bool,
) -> Iterator[TestWorkController]:
    """A worker for the whole session."""
    _prepare(celery_session_app, caraway_includes, caraway_class_tasks)
    with _worker(celery_session_app, caraway_worker_pool, caraway_worker_parameters, caraway_enable_logging) as worker:
        yield worker


@pytest.fixture(scope="session")
def celery_session_worker(caraway_session_worker: TestWorkController) -> TestWorkController:
    """The caraway_session_worker."""
    return caraway_session_worker


@pytest.fixture
def caraway_app(
    request: pytest.FixtureRequest,
    caraway_config: dict[str, Any],
    caraway_parameters: Mapping[str, Any],
    use_caraway_app_trap: bool,
) -> Iterator[Caraway]:
    """An app for one test."""
    config = dict(caraway_config)
    for mark in _MARKS:
        for marked in reversed(list(request.node.iter_markers(mark))):
            config.update(marked.kwargs)
    with _app(config, caraway_parameters, use_caraway_app_trap) as app:
        yield app


@pytest.fixture
def celery_app(caraway_app: Caraway) -> Caraway:
    """The caraway_app."""
    return caraway_app


@pytest.fixture
def caraway_worker(
    celery_app: Caraway,
    caraway_includes: Any,
    caraway_class_tasks: Sequence[Any],
    caraway_worker_pool: Any,
    caraway_worker_parameters: Mapping[str, Any],
    caraway_enable_logging: bool,
) -> Iterator[TestWorkController]:
    """A worker for one test; `reload()` has it know tasks that were defined after its start."""
    _prepare(celery_app, caraway_includes, caraway_class_tasks)
    with _worker(celery_app, caraway_worker_pool, caraway_worker_parameters, caraway_enable_logging) as worker:
        yield worker


@pytest.fixture
def celery_worker(caraway_worker: TestWorkController) -> TestWorkController:
    """The caraway_worker."""
    return caraway_worker


@pytest.fixture
def depends_on_current_app(celery_app: Caraway) -> Iterator[None]:
    """Have the test's app be the current one, whatever the trap says."""
    with setup_default_app(celery_app):
        yield


@contextmanager
def _app(config: Mapping[str, Any], parameters: Mapping[str, Any], use_trap: bool) -> Iterator[Caraway]:
    with kept(), TestApp(config=config, **parameters) as app, setup_default_app(app, use_trap):
        yield app


def _prepare(app: Caraway, includes: Any, class_tasks: Sequence[Any]) -> None:
    for module in includes:
        import_module(module)
    for task in class_tasks:
        app.register_task(task)


def _worker(
    app: Caraway, pool: str, parameters: Mapping[str, Any], enable_logging: bool
) -> AbstractContextManager[TestWorkController]:
    given = {"pool": pool, **({"loglevel": "info"} if enable_logging else {}), **parameters}
    return start_worker(app, **given)

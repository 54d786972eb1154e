"""From the worker's settings to what its pool and its children are told."""

from collections.abc import Callable

from caraway.settings import ClientSettings, definitions, environment_of
from caraway_worker.children import PoolOptions
from caraway_worker.options import ChildOptions
from caraway_worker.process import Link, start_child
from caraway_worker.settings import Settings
from caraway_worker.solo import adopt


def child_options(settings: Settings) -> ChildOptions:
    """What each child is told."""
    soft, hard = settings.soft_time_limit, settings.time_limit
    return ChildOptions(
        app=settings.app,
        worker=settings.name,
        supervisor=0,
        socket=-1,
        shared=-1,
        log_level=settings.log_level,
        soft=soft.total_seconds() if soft else None,
        hard=hard.total_seconds() if hard else None,
        max_tasks=settings.max_tasks_per_child,
        max_memory=settings.max_memory_per_child,
        pool=settings.pool,
        slots=settings.slots,
        include=settings.include,
        log_file=settings.log_file,
        stdout_level=settings.stdout_level,
        start_timeout=settings.start_timeout.total_seconds(),
        log_format=settings.log_format,
        arguments=settings.arguments,
        environment=client_environment(settings),
    )


def client_environment(settings: Settings) -> dict[str, str]:
    """What this worker was told of the gateway, as the variables that an app reads."""
    known = definitions(ClientSettings)
    given = {one.field: value for one in known if (value := getattr(settings, one.field))}
    written = environment_of(ClientSettings(**given))
    return {one.variable: written[one.variable] for one in known if one.field in given}


def pool_options(settings: Settings, link: Callable[[ChildOptions], Link] | None) -> PoolOptions:
    """What the pool is told; `link` is how it comes by a child, None: as the settings say."""
    if link is None:
        link = start_child if not settings.adopt else (lambda _options: adopt(settings.adopt))
    return PoolOptions(settings.children, child_options(settings), link)

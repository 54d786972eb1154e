"""The command `caraway worker`."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import click

from caraway_worker import log
from caraway_worker.settings import Settings, SettingsError, node_name
from caraway_worker.worker import BrokenApp, Worker

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@click.command()
@click.option(
    "-A", "--app", required=True, metavar="APP", help="Where the app is: proj, proj.module or proj:attribute."
)
@click.option(
    "-n",
    "--hostname",
    "name",
    default="worker@%h",
    show_default=True,
    help="Name of this worker; %h: host, %n: its first part, %d: the rest.",
)
@click.option("-Q", "--queues", default="", metavar="A,B", help="Queues to take tasks from; default: the app's own.")
@click.option("-c", "--concurrency", type=int, default=None, help="Child processes; default: one a CPU.")
@click.option(
    "-l", "--loglevel", type=click.Choice(_LEVELS, case_sensitive=False), default="WARNING", show_default=True
)
@click.option("--target", default=None, metavar="HOST:PORT", help="The gateway; default: the app's own.")
@click.option(
    "--time-limit",
    type=float,
    default=None,
    metavar="SECONDS",
    help="Kill a task that runs for longer, unless it has its own limit.",
)
@click.option(
    "--soft-time-limit",
    type=float,
    default=None,
    metavar="SECONDS",
    help="Raise SoftTimeLimitExceeded in a task that runs for longer.",
)
@click.option("--max-tasks-per-child", type=int, default=None, help="Replace a child after so many tasks.")
@click.option(
    "--max-memory-per-child",
    type=int,
    default=None,
    metavar="KIB",
    help="Replace a child whose resident memory has grown beyond this, after its task.",
)
@click.option(
    "--drain-timeout",
    type=float,
    default=None,
    metavar="SECONDS",
    help="After SIGTERM, kill what still runs after this and hand it back; default: wait.",
)
def worker(
    app: str,
    name: str,
    queues: str,
    concurrency: int | None,
    loglevel: str,
    target: str | None,
    time_limit: float | None,
    soft_time_limit: float | None,
    max_tasks_per_child: int | None,
    max_memory_per_child: int | None,
    drain_timeout: float | None,
) -> None:
    """Run tasks.

    SIGTERM or Ctrl-C: takes no more, hands back what is not started, ends when what runs has ended. Once more: ends now
    and hands back what runs.
    """
    given: dict[str, Any] = {} if concurrency is None else {"concurrency": concurrency}
    try:
        settings = Settings(
            app=app,
            name=node_name(name),
            target=target,
            queues=tuple(queue.strip() for queue in queues.split(",") if queue.strip()),
            log_level=logging.getLevelNamesMapping()[loglevel.upper()],
            time_limit=_seconds(time_limit),
            soft_time_limit=_seconds(soft_time_limit),
            max_tasks_per_child=max_tasks_per_child,
            max_memory_per_child=max_memory_per_child,
            drain_timeout=_seconds(drain_timeout),
            **given,
        )
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    log.set_up(settings.log_level)
    try:
        code = _run(_main(settings))
    except BrokenApp as error:
        raise click.ClickException(f"the app {app!r} can't be loaded:\n{error}") from error
    sys.exit(code)


async def _main(settings: Settings) -> int:
    main = Worker(settings, say=click.echo)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, main.stop)
    return await main.run()


def _run(main: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)

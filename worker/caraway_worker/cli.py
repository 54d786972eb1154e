"""The command `caraway worker`."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from caraway_worker import log, solo
from caraway_worker.detach import start_detached
from caraway_worker.flags import Names, Scale, Seconds, accepted_flags
from caraway_worker.gateway import GatewayError
from caraway_worker.pidfile import PidFile, PidFileTaken
from caraway_worker.pools import POOL_NAMES, pool_named
from caraway_worker.settings import Settings, SettingsError, node_name
from caraway_worker.worker import BrokenApp, Worker, child_options

if sys.platform != "win32":
    import uvloop

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_EX_CANTCREAT = 73


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
@click.option("--purge", is_flag=True, help="First revoke all that waits in the queues; asks, on a terminal.")
@click.option("-I", "--include", type=Names(), default=(), metavar="A,B", help="Modules to import after the app.")
@click.option("-Q", "--queues", type=Names(), default=(), metavar="A,B", help="Queues; default: the app's own.")
@click.option("-X", "--exclude-queues", type=Names(), default=(), metavar="A,B", help="Queues to leave out.")
@click.option(
    "-P",
    "--pool",
    type=click.Choice(POOL_NAMES, case_sensitive=False),
    default="process",
    show_default=True,
    help="How tasks run: a process each, or threads, coroutines, greenlets; solo: one by one in this process.",
)
@click.option("-c", "--concurrency", type=int, default=None, help="Tasks that run at once; default: one a CPU.")
@click.option("--processes", type=int, default=1, show_default=True, help="Over which threads and the like are spread.")
@click.option("--autoscale", type=Scale(), default=None, metavar="MAX,MIN", help="As many processes as are needed.")
@click.option("-O", "--optimization", type=click.Choice(("default", "fair")), help="Accepted: it is always fair.")
@click.option(
    "-l", "--loglevel", type=click.Choice(_LEVELS, case_sensitive=False), default="WARNING", show_default=True
)
@click.option("-f", "--logfile", "log_file", default="", help="Log file; %p, %n, %h, %i and %I as in docs/worker.md.")
@click.option("--redirect-stdouts/--no-redirect-stdouts", default=True, show_default=True, help="Log what tasks print.")
@click.option(
    "--redirect-stdouts-level",
    "stdout_level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="WARNING",
    show_default=True,
)
@click.option("--pidfile", type=click.Path(path_type=Path), default=None, help="File for the process id.")
@click.option("-D", "--detach", is_flag=True, help="Run in the background.")
@click.option("--target", default=None, metavar="HOST:PORT", help="The gateway; default: the app's own.")
@click.option("--time-limit", type=Seconds(), help="Kill a task that runs for longer, unless it has its own limit.")
@click.option("--soft-time-limit", type=Seconds(), help="Raise SoftTimeLimitExceeded in a task that runs for longer.")
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
    type=Seconds(),
    help="After SIGTERM, kill what still runs after this and hand it back; default: wait.",
)
@click.option(
    "--soft-shutdown-timeout",
    type=Seconds(),
    default=timedelta(0),
    help="After SIGQUIT or a second SIGTERM, give what runs so long before it is killed; default: none.",
)
@click.option(
    "--start-timeout",
    type=Seconds(),
    default=timedelta(seconds=60),
    help="For the app's import; 0: none.  [default: 60]",
)
@click.option("--adopt", default="", hidden=True)
@accepted_flags
def worker(pidfile: Path | None, detach: bool, **options: Any) -> None:
    """Run tasks.

    SIGTERM or Ctrl-C: takes no more, hands back what is not started, ends when what runs has ended. Once more, or
    SIGQUIT: ends now and hands back what runs. REMAP_SIGTERM=SIGQUIT in the environment makes SIGTERM do that.
    """
    try:
        settings = _settings(**options)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    if settings.purge and sys.stdin.isatty():
        queues = ", ".join(settings.queues) or "the app's default queue"
        click.confirm(f"Revoke all tasks that wait in {queues}?", abort=True)
    if detach:
        _detach(settings, pidfile)
        return
    try:
        with PidFile(pidfile) if pidfile is not None else contextlib.nullcontext():
            code = _solo(settings) if _is_solo(settings) else _supervise(settings)
    except PidFileTaken as error:
        click.echo(f"Error: {error}", err=True)
        code = _EX_CANTCREAT
    sys.exit(code)


def _settings(
    name: str,
    concurrency: int | None,
    loglevel: str,
    redirect_stdouts: bool,
    stdout_level: str,
    pool: str,
    optimization: str | None,
    **fields: Any,
) -> Settings:
    del optimization  # accepted: it is always so
    levels = logging.getLevelNamesMapping()
    if concurrency is not None:
        fields["concurrency"] = concurrency
    solo_pool = pool == "solo"  # its output is for the one who debugs it
    return Settings(
        name=node_name(name),
        pool=pool,
        log_level=levels[loglevel.upper()],
        stdout_level=levels[stdout_level.upper()] if redirect_stdouts and not solo_pool else None,
        remap_sigterm=os.environ.get("REMAP_SIGTERM", "").upper() == "SIGQUIT",
        **fields,
    )


def _detach(settings: Settings, pidfile: Path | None) -> None:
    if pidfile is not None:
        try:
            PidFile(pidfile).check()
        except PidFileTaken as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(_EX_CANTCREAT)
    start_detached(sys.argv[1:], log.file_of(settings.log_file, settings.name))


def _is_solo(settings: Settings) -> bool:
    return not pool_named(settings.pool).in_children and not settings.adopt


def _solo(settings: Settings) -> int:
    return solo.run(child_options(settings), sys.argv[1:])


def _supervise(settings: Settings) -> int:
    log.set_up(settings.log_level, log.file_of(settings.log_file, settings.name))
    try:
        return _run(_main(settings))
    except BrokenApp as error:
        raise click.ClickException(f"the app {settings.app!r} can't be loaded:\n{error}") from error
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    except GatewayError as error:
        raise click.ClickException(f"the queues can't be purged: {error}") from error


async def _main(settings: Settings) -> int:
    main = Worker(settings, say=click.echo)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(sign, main.on_signal, sign)
    return await main.run()


def _run(main: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Any:
    return None if sys.platform == "win32" else uvloop.new_event_loop

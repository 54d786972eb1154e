"""The command `caraway worker`."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Collection, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from caraway.commands.settings_options import WrongSettings, with_settings
from caraway.monitor.failing import Failed
from caraway.settings import DEFAULT, InvalidSettings, Loaded
from caraway_worker import app_options, log, solo
from caraway_worker.app_options import WithAppOptions
from caraway_worker.child_settings import child_options
from caraway_worker.detach import start_detached
from caraway_worker.flags import accepted_flags
from caraway_worker.gateway import GatewayError
from caraway_worker.monitoring import Unwatchable
from caraway_worker.pidfile import PidFile, PidFileTaken
from caraway_worker.pools import pool_named
from caraway_worker.settings import Settings
from caraway_worker.worker import BrokenApp, Reconfigured, Worker

if sys.platform != "win32":
    import uvloop

_EX_CANTCREAT = 73


@click.command(cls=WithAppOptions, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@with_settings(Settings, origins=True)
@click.option("-O", "--optimization", type=click.Choice(("default", "fair")), help="Accepted: it is always fair.")
@click.option("--pidfile", type=click.Path(path_type=Path), default=None, help="File for the process id.")
@click.option("-D", "--detach", is_flag=True, help="Run in the background.")
@accepted_flags
@click.pass_context
def worker(
    ctx: click.Context, settings: Loaded[Settings], optimization: str | None, pidfile: Path | None, detach: bool
) -> None:
    """Run tasks.

    SIGTERM or Ctrl-C: takes no more, hands back what is not started, ends when what runs has ended. Once more, or
    SIGQUIT: ends now and hands back what runs. REMAP_SIGTERM=SIGQUIT in the environment makes SIGTERM do that.

    Each option that stands in docs/configuration.md may also be set in the environment or in a file. An app may have
    options of its own: docs/extending.md.
    """
    del optimization  # accepted: it is always so
    loaded = replace(settings.settings, arguments=tuple(ctx.args))
    unnamed = [field for field, origin in settings.origins.items() if origin == DEFAULT]
    if not loaded.adopt:
        app_options.check(loaded.app, ctx)
    if loaded.purge and sys.stdin.isatty():
        queues = ", ".join(loaded.queues) or "the app's default queue"
        click.confirm(f"Revoke all tasks that wait in {queues}?", abort=True)
    if detach:
        _detach(loaded, pidfile)
        return
    try:
        with PidFile(pidfile) if pidfile is not None else contextlib.nullcontext():
            code = _solo(loaded) if _is_solo(loaded) else _supervise(loaded, unnamed)
    except PidFileTaken as error:
        click.echo(f"Error: {error}", err=True)
        code = _EX_CANTCREAT
    sys.exit(code)


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


def _solo(settings: Settings, *flags: str) -> int:
    return solo.run(child_options(settings), [*sys.argv[1:], *flags])


def _supervise(settings: Settings, unnamed: Collection[str]) -> int:
    log.set_up(settings.log_level, log.file_of(settings.log_file, settings.name), settings.log_format)
    try:
        try:
            return _run(_main(settings, () if settings.adopt else unnamed))
        except Reconfigured as found:
            if _is_solo(found.settings):
                return _solo(found.settings, "--pool", found.settings.pool)
            return _run(_main(found.settings))
    except BrokenApp as error:
        raise Failed(f"the app {settings.app!r} can't be loaded:\n{error}") from error
    except InvalidSettings as error:
        raise WrongSettings(error) from error
    except GatewayError as error:
        raise Failed(f"the queues can't be purged: {error}") from error
    except Unwatchable as error:
        raise Failed(str(error)) from error


async def _main(settings: Settings, unnamed: Collection[str] = ()) -> int:
    say = partial(log.logger.info, "%s") if settings.log_format == "json" else click.echo
    main = Worker(settings, say=say, unnamed=unnamed)
    # What was imported stays: the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(sign, main.on_signal, sign)
    return await main.run()


def _run(main: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Any:
    return None if sys.platform == "win32" else uvloop.new_event_loop

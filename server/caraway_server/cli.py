"""The command `caraway server`."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import uvloop

from caraway_server.app import Gateway
from caraway_server.core.errors import CarawayServerError
from caraway_server.embedded import EmbeddedStore
from caraway_server.processes import run_processes
from caraway_server.settings import InvalidSettings, Settings

Started = Callable[[str], None]


class Seconds(click.ParamType[timedelta]):
    """A duration in seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parses it."""
        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(seconds=float(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)


_DEFAULT = Settings()


@click.command()
@click.option("--listen", default=_DEFAULT.listen, show_default=True, help="HOST:PORT; port 0 takes a free one.")
@click.option("--redis", default="", help="URL of a Redis (7.0 or newer) or Valkey: redis://, rediss://, unix://.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=_DEFAULT.data_dir,
    show_default=True,
    help="Folder of the embedded store, where no --redis is named.",
)
@click.option(
    "--fsync",
    default="always",
    show_default=True,
    help="The embedded store's: always; everysec may lose a second; no keeps nothing on disk.",
)
@click.option("--processes", default=1, show_default=True, help="Gateway processes that share the port.")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without TLS and tokens.")
@click.option(
    "--lease", type=Seconds(), default=_DEFAULT.lease, help="Seconds a delivery lasts unrenewed.  [default: 15]"
)
@click.option("--heartbeat", type=Seconds(), default=_DEFAULT.heartbeat, help="Seconds between renewals.  [default: 5]")
@click.option(
    "--result-ttl", type=Seconds(), default=_DEFAULT.result_ttl, help="Seconds an ended task is kept.  [default: 86400]"
)
@click.option(
    "--max-payload",
    "max_payload_bytes",
    default=_DEFAULT.max_payload_bytes,
    show_default=True,
    help="Bytes of arguments or of a result.",
)
@click.option(
    "--max-queue-length", default=_DEFAULT.max_queue_length, show_default=True, help="Tasks that may wait in one queue."
)
@click.option(
    "--max-lost",
    default=_DEFAULT.max_lost,
    show_default=True,
    help="Lost deliveries after which a task is quarantined.",
)
@click.option(
    "--dedup-window",
    type=Seconds(),
    default=_DEFAULT.dedup_window,
    help="Seconds for which the id of a deleted task stays taken.  [default: 600]",
)
@click.option(
    "-l",
    "--log-level",
    default=_DEFAULT.log_level,
    show_default=True,
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
)
@click.option("--alive-fd", type=int, hidden=True, help="Ends when the other end of this pipe does.")
def server(alive_fd: int | None, **options: Any) -> None:
    """Run a gateway, with an embedded store unless --redis names one."""
    try:
        settings = Settings(**options)
    except InvalidSettings as error:
        raise click.UsageError(str(error)) from error
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        uvloop.run(_run(settings, alive_fd))
    except (CarawayServerError, OSError) as error:
        raise click.ClickException(str(error)) from error


async def _run(settings: Settings, alive_fd: int | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if alive_fd is not None:

        def parent_ended() -> None:
            loop.remove_reader(alive_fd)  # the end of a pipe can be read again and again, and would keep the loop busy
            stopped.set()

        loop.add_reader(alive_fd, parent_ended)
    embedded = None if settings.redis else EmbeddedStore(settings.data_dir, settings.fsync)
    if embedded is not None:
        await embedded.start()
    url = embedded.url if embedded is not None else settings.redis
    try:
        if settings.processes > 1:
            await run_processes(settings, url, stopped, _say)
        else:
            await _serve(settings, url, stopped, one_of_many=alive_fd is not None)
    finally:
        if embedded is not None:
            await embedded.stop()


async def _serve(settings: Settings, url: str, stopped: asyncio.Event, *, one_of_many: bool) -> None:
    gateway = Gateway(settings, url, shared_port=one_of_many)
    facts = await gateway.examine_store()
    kind = "" if settings.redis else "embedded "

    def listening(port: int) -> None:
        if not one_of_many:
            host = settings.listen.rpartition(":")[0]
            _say(
                f"caraway server listens on {host}:{port} (store: {kind}{facts.version}, durability {facts.durability})"
            )

    await gateway.serve(stopped, listening)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def main() -> None:
    """For `python -m caraway_server.cli`, with which gateway processes are started."""
    # The parent's terminal signals reach the whole group; its end is what these processes wait for.
    if "--alive-fd" in sys.argv:
        os.setpgrp()
    server()


if __name__ == "__main__":
    main()

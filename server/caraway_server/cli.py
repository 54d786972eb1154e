"""The command `caraway server`."""

import asyncio
import logging
import os
import signal
import sys

import click
import uvloop

from caraway.commands.settings_options import WrongSettings, with_settings
from caraway.monitor.failing import Failed
from caraway.monitor.json_log import JsonLines
from caraway.settings import InvalidSettings
from caraway_server.app import Gateway, examine_store
from caraway_server.core.errors import CarawayServerError
from caraway_server.edge import Edge
from caraway_server.embedded import EmbeddedStore
from caraway_server.processes import run_processes
from caraway_server.settings import Settings

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@with_settings(Settings)
@click.option("--alive-fd", type=int, hidden=True, help="Ends when the other end of this pipe does.")
def server(settings: Settings, alive_fd: int | None) -> None:
    """Run a gateway, with an embedded store unless --redis names one.

    Each option may also stand in the environment or in a file: docs/configuration.md.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else logging.Formatter(_LOG_FORMAT))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    logging.captureWarnings(True)
    try:
        edge = Edge(settings)
    except InvalidSettings as error:
        raise WrongSettings(error) from error
    if alive_fd is None:
        edge.warn()
    try:
        uvloop.run(_run(settings, edge, alive_fd))
    except (CarawayServerError, OSError) as error:
        raise Failed(str(error)) from error


async def _run(settings: Settings, edge: Edge, alive_fd: int | None) -> None:
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
            await examine_store(settings, url, stopped)
            await run_processes(settings, url, stopped, _say)
        else:
            await _serve(settings, edge, url, stopped, one_of_many=alive_fd is not None)
    finally:
        if embedded is not None:
            await embedded.stop()


async def _serve(settings: Settings, edge: Edge, url: str, stopped: asyncio.Event, *, one_of_many: bool) -> None:
    gateway = Gateway(settings, url, edge, shared_port=one_of_many)
    async with gateway.monitored():
        await _serve_monitored(gateway, settings, stopped, one_of_many=one_of_many)


async def _serve_monitored(gateway: Gateway, settings: Settings, stopped: asyncio.Event, *, one_of_many: bool) -> None:
    facts = await gateway.examine_store(stopped)
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

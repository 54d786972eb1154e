"""Several gateway processes on one port: started, watched, started again, ended together."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from caraway.settings import CONFIG_VARIABLE, environment_of
from caraway_server import child
from caraway_server.addresses import free_port
from caraway_server.settings import Settings

_log = logging.getLogger(__name__)

RESTART_SECONDS = 0.5
LOOK_SECONDS = 0.1


async def run_processes(settings: Settings, url: str, stopped: asyncio.Event, say: Callable[[str], None]) -> None:
    """Runs `settings.processes` gateways until `stopped` is set.

    Each holds the reading end of a pipe whose writing end is here: when this process dies, however it does, they end.

    Args:
        settings: what they are started with.
        url: of their store.
        stopped: ends them.
        say: told the address, once one of them listens.

    Raises:
        OSError: an address can't be listened on, or is taken.
    """
    count = settings.processes
    settings = replace(_with_free_addresses(settings), redis=url, processes=1)
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    keepers = [asyncio.create_task(_keep(_of_process(settings, index), reading)) for index in range(count)]
    keepers.append(asyncio.create_task(_announce(settings, count, say)))
    await stopped.wait()
    os.close(writing)
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)
    os.close(reading)


async def _announce(settings: Settings, count: int, say: Callable[[str], None]) -> None:
    host, _, port = settings.listen.rpartition(":")
    while True:
        try:
            _, trial = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            await asyncio.sleep(LOOK_SECONDS)
            continue
        trial.close()
        say(f"caraway server listens on {settings.listen} with {count} processes")
        return


def _with_free_addresses(settings: Settings) -> Settings:
    """The port of `listen` is the real one then.

    Shared ports are not refused to a stranger, and a process that finds its own one taken would be started again and
    again: so this looks first.
    """
    if settings.http:
        free_port("--http", settings.http)
    for index in range(settings.processes):
        metrics = _of_process(settings, index).metrics_bind
        if metrics:
            free_port("--metrics-bind", metrics)
    host = settings.listen.rpartition(":")[0]
    return replace(settings, listen=f"{host}:{free_port('--listen', settings.listen)}")


def _of_process(settings: Settings, index: int) -> Settings:
    """No listener can show another process's metrics, so each has its own: on the named port, or one after it."""
    host, _, port = settings.metrics_bind.rpartition(":")
    if not port or port == "0":
        return settings
    return replace(settings, metrics_bind=f"{host}:{int(port) + index}")


async def _keep(settings: Settings, alive: int) -> None:
    # By the environment, not by flags: those can be read by anybody on the machine, and the store's URL has a password.
    env = {**os.environ, **environment_of(settings), CONFIG_VARIABLE: os.devnull}
    command = [sys.executable, "-m", "caraway_server.cli", "--alive-fd", str(alive)]
    while True:
        process = child.start(command, env, pass_fds=(alive,))
        try:
            code = await child.end_of(process)
        except asyncio.CancelledError:
            await child.end_of(process)
            raise
        _log.error("gateway process %s ended with code %s; starting another", process.pid, code)
        await asyncio.sleep(RESTART_SECONDS)

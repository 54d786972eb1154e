"""Several gateway processes on one port: started, watched, started again, ended together."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

from caraway.settings import CONFIG_VARIABLE, environment_of
from caraway_server import child
from caraway_server.settings import Settings

_log = logging.getLogger(__name__)

RESTART_SECONDS = 0.5


async def run_processes(settings: Settings, url: str, stopped: asyncio.Event, say: Callable[[str], None]) -> None:
    """Runs `settings.processes` gateways until `stopped` is set.

    Each holds the reading end of a pipe whose writing end is here: when this process dies, however it does, they end.

    Args:
        settings: what they are started with.
        url: of their store.
        stopped: ends them.
        say: told the address.

    Raises:
        OSError: the address is taken.
    """
    count = settings.processes
    host, port = _free_address(settings)
    settings = replace(settings, listen=f"{host}:{port}", redis=url, processes=1)
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    keepers = [asyncio.create_task(_keep(_of_process(settings, index), reading)) for index in range(count)]
    say(f"caraway server listens on {settings.listen} with {count} processes")
    await stopped.wait()
    os.close(writing)
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)
    os.close(reading)


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


def _free_address(settings: Settings) -> tuple[str, int]:
    """The address with its real port. Shared ports are not refused to a stranger, so this looks first."""
    host, _, port = settings.listen.rpartition(":")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((settings.host, int(port)))
        return host, probe.getsockname()[1]

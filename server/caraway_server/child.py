"""Child processes: started apart from the event loop, and waited for in it.

The event loop would fork by itself and run all handlers of forks in the child, gRPC's among them, which may end it.
"""

import asyncio
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress


def start(
    command: Sequence[str], env: Mapping[str, str], *, stdout: int | None = None, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Starts a program. To be called in the loop's own thread: a child may be bound to the life of that.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        stdout: as subprocess has it.
        pass_fds: descriptors that it inherits.
    """
    return subprocess.Popen(command, env=env, stdout=stdout, pass_fds=pass_fds)


async def end_of(process: subprocess.Popen[bytes]) -> int:
    """Waits for a process's end, and gives its exit code."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        process.wait()
        with suppress(RuntimeError):  # the loop is gone, and nobody waits
            loop.call_soon_threadsafe(ended.set)

    # Not a thread of the loop's own executor: a program that ends would wait for it.
    threading.Thread(target=wait, name=f"caraway-child-{process.pid}", daemon=True).start()
    await ended.wait()
    return process.wait()

"""The worker in the background: `caraway worker --detach`."""

import os
import subprocess
import sys
from pathlib import Path

_FLAGS = frozenset({"-D", "--detach"})


def start_detached(arguments: list[str], log_file: str) -> int:
    """Start the same command in a session of its own, without a terminal. Returns its process id.

    Arguments: `arguments` are those of the command `caraway`; `log_file` takes what it says to stdout and stderr,
    empty: nothing is kept. A fresh interpreter, not a fork: gRPC is imported here already.
    """
    command = [sys.executable, "-c", "from caraway.cli import main; main(prog_name='caraway')"]
    command += [argument for argument in arguments if argument not in _FLAGS]
    output = Path(log_file or os.devnull).open("a")  # noqa: SIM115 - handed to the process
    with output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    return process.pid

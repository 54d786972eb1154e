"""The command line, run from a program: `app.start()` and `app.worker_main()`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caraway.exceptions import ImproperlyConfigured

__all__ = ["names_app", "start", "worker_main"]


def start(app: Any, argv: Sequence[str] | None = None) -> None:
    """Run `caraway` with these arguments, those of this program by default, and exit as it does.

    A command that needs an app is given this one.
    """
    # Here and not above: the command line is loaded by who uses it.
    from caraway.cli import main  # noqa: PLC0415

    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in ("worker", "dev") and not names_app(arguments):
        arguments[1:1] = ["-A", _path_of(app)]
    main(arguments, prog_name="caraway")


def worker_main(app: Any, argv: Sequence[str] | None = None) -> None:
    """Run `caraway worker` for this app, and exit as it does. Raises ValueError where `argv` says otherwise."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "worker" not in arguments:
        raise ValueError("worker_main() starts a worker: argv is to begin with 'worker'; app.start() runs any command")
    start(app, arguments)


def names_app(arguments: Sequence[str]) -> bool:
    """Whether a command line says -A."""
    return any(one in ("-A", "--app") or one.startswith(("--app=", "-A")) for one in arguments)


def _path_of(app: Any) -> str:
    """Say where children find the app. Raises ImproperlyConfigured where no module has it as an attribute."""
    for name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is app:
                return f"{_importable() if name == '__main__' else name}:{attribute}"
    raise ImproperlyConfigured("no module has this app as an attribute, so the worker's processes can't find it")


def _importable() -> str:
    """Name the main module as other processes import it: by its file, whose folder they are told of."""
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return main.__spec__.name.removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    if file is None:
        raise ImproperlyConfigured("the app is defined in no file, so the worker's processes can't find it")
    folder = str(Path(file).resolve().parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
    return Path(file).stem

"""A bar for what takes long, on a terminal only."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress(label: str, total: int | None = None, *, writes: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; gives a function that is told of steps done.

    Arguments: `total` steps, None: not known; `writes`: the block writes to stdout, so that there is no bar
    where that is a terminal too. There is none without rich, and none where stderr is no terminal.
    """
    shown = sys.stderr.isatty() and not (writes and sys.stdout.isatty())
    if not shown or importlib.util.find_spec("rich") is None:
        yield lambda _steps: None
        return
    # Here and not above: it may not be there, and takes longer to load than most commands to run.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps: bar.advance(task, steps)

"""The pool `gevent`: only its children import gevent, which then patches their every module."""

from caraway_worker.runner import Runner, RunnerHome
from caraway_worker.shared import ChildSlotCells
from caraway_worker.soft_limit import SoftLimit


def prepare() -> None:
    """Patch the standard library, and have gRPC work with greenlets too."""
    import gevent.monkey  # noqa: PLC0415 - an extra, and only for children of this pool

    gevent.monkey.patch_all()
    from grpc.experimental.gevent import init_gevent  # noqa: PLC0415 - costs 80 ms, and needs the patches

    init_gevent()
    # gRPC's own greenlets live in the hub of the thread that made the first channel: this one's runs. That of the async
    # tasks' thread does not, and the first of them that submitted something would wait for ever.
    import caraway.channel  # noqa: F401, PLC0415


def soft_limit(cells: ChildSlotCells) -> SoftLimit:
    """Make a slot's soft limit."""
    from caraway_worker.greenlets import GreenletSoftLimit  # noqa: PLC0415 - imports gevent

    return GreenletSoftLimit(cells)


def runner(child: RunnerHome) -> Runner:
    """Make the child's runner."""
    from caraway_worker.greenlets import GeventRunner  # noqa: PLC0415 - imports gevent

    return GeventRunner(child)

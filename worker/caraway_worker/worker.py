"""The worker: wires stream, pool and reports together, and ends in good order."""

import asyncio
import logging
import signal
import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any

from caraway.settings import ClientSettings, load
from caraway.transport import Transport
from caraway.v1 import worker_service_pb2
from caraway_worker.app_settings import Reconfigured, settings_of_app
from caraway_worker.arrivals import Arrivals
from caraway_worker.autoscale import Autoscaler
from caraway_worker.backoff import Backoff
from caraway_worker.banner import banner
from caraway_worker.catalog import Catalog
from caraway_worker.child_settings import child_options, client_environment, pool_options
from caraway_worker.children import BrokenApp
from caraway_worker.commands import Commands
from caraway_worker.delivery import Delivery, Ending, Stop
from caraway_worker.facts import Facts
from caraway_worker.gateway import Gateway, GatewayError
from caraway_worker.intake import Intake
from caraway_worker.lapse import LOST_GRACE, Lapse
from caraway_worker.log import TaskLog, use_format
from caraway_worker.monitoring import Monitoring
from caraway_worker.notice import Notice
from caraway_worker.notices import Notices
from caraway_worker.options import ChildOptions
from caraway_worker.parts import Parts
from caraway_worker.pool import Pool
from caraway_worker.process import Link, start_child
from caraway_worker.purge import purge
from caraway_worker.renewal import Renewal
from caraway_worker.reports import Reporter
from caraway_worker.service import Reply, Service
from caraway_worker.settings import Settings, signal_named
from caraway_worker.shutdown import Shutdown
from caraway_worker.stream import LeaseStream
from caraway_worker.watch import Watch

logger = logging.getLogger("caraway.worker")

_DEFAULT_GRACE = 10.0
_LAST_REPORTS_SECONDS = 10.0
_HARD_REPORTS_SECONDS = 0.5
_DRAIN_ACK_SECONDS = 2.0
_KILL_SECONDS = 5.0
_DRAINS = "the worker drains"
_STOPS = "the worker stops before the task ended"


class Worker:
    """One run of `caraway worker`. `say` prints a line for the person who started it."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        *,
        link: Callable[[ChildOptions], Link] | None = None,
        tell: Callable[[Notice], None] | None = None,
        unnamed: Collection[str] = (),
    ) -> None:
        """Made in a running event loop.

        Arguments: `link` is how it comes by a child where that is no process of its own; `tell` takes what receivers
        of signals are to hear, by default the service process; `unnamed` are the fields of settings that the app may
        name.
        """
        self._settings = settings
        self._unnamed = unnamed
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._worker_id = f"{settings.name}#{uuid.uuid4().hex[:12]}"
        self._held: dict[str, Delivery] = {}
        self._renewal = Renewal()
        self._log = TaskLog()
        self._pool = Pool(pool_options(settings, link), self)
        self._facts = Facts(settings, self._pool)
        self._tells_service = tell is None
        # Not the adopted process of a solo worker: that one is busy with tasks.
        self._service = Service(child_options(settings), link or start_child)
        self._notices = Notices(self._service.tell, ()) if tell is None else Notices(tell)
        self.commands = Commands(self._facts.commands)
        self.commands.add("shutdown", self.stop)
        self._watch = Watch(self._pool)
        self._shutdown = Shutdown(settings.soft_shutdown_timeout.total_seconds(), settings.remap_sigterm)
        self.ready = asyncio.Event()  # connected, and all children are up
        parts = Parts(self._pool, self._held, self._renewal, self._shutdown)
        self._monitoring = Monitoring(settings.metrics_bind, parts)
        self._quiet = asyncio.Event()
        self._welcomed = asyncio.Event()
        self._lapse = Lapse(self._held, self._renewal, self._stop)

    async def run(self) -> int:
        """Work until `stop`. Returns the exit code.

        Raises BrokenApp if the app can't be loaded, Reconfigured where it names other settings, Unwatchable.
        """
        try:
            async with self._monitoring.opened():
                catalog = await self._first_catalog()
                return 0 if catalog is None else await self._work(catalog)
        finally:
            self._shutdown.close()
            self._watch.close()
            await self._pool.close()
            self._notices.over()
            await self._service.close(at_once=self._shutdown.hard.is_set())

    async def _first_catalog(self) -> Catalog | None:
        """Start the pool; None if a signal came first."""
        start = self._loop.create_task(self._pool.start())
        await _first(None, start, self._shutdown.asked)
        if start.done():
            return start.result()
        start.cancel()
        return None

    async def _work(self, catalog: Catalog) -> int:
        settings = settings_of_app(self._settings, self._unnamed, catalog.worker)
        if settings != self._settings:
            raise Reconfigured(settings)
        if catalog.log_line or catalog.log_times:
            use_format(catalog.log_line, catalog.log_times)
        self._catalog = catalog
        self._queues = self._settings.queues_of(catalog.queues, catalog.any_queue)
        self._intake = Intake(catalog, self._settings)
        client = load(ClientSettings, environ={**catalog.client, **client_environment(self._settings)}, strict=False)
        target = self._facts.target = client.settings.target
        if self._tells_service:
            self._notices.listens = frozenset(catalog.listens)
        self._shutdown.tell = self._notices.ending
        gateway = Gateway(Transport(target, client.settings))
        self._say(banner(self._settings, catalog, target, self._queues))
        try:
            if self._settings.purge and not await self._purge(gateway):
                return 0
            return await self._serve(gateway)
        finally:
            await gateway.close()

    async def _purge(self, gateway: Gateway) -> bool:
        """Empty the queues; False: a signal came first. Raises GatewayError."""
        purging = self._loop.create_task(purge(gateway, self._queues, self._say))
        await _first(None, purging, self._shutdown.asked)
        if not purging.done():
            purging.cancel()
            return False
        await purging
        return True

    async def _serve(self, gateway: Gateway) -> int:
        self._reporter = Reporter(gateway, self)
        self._stream = LeaseStream(gateway, self, self._renewal)
        self._arrivals = Arrivals(gateway, self, self._loop.time)
        self._monitoring.show(self._stream, self._reporter)
        parts = [self._stream.run(), self._learn_limits(gateway), self._announce()]
        scale = self._settings.autoscale
        if scale is not None and self._settings.scales:
            parts.append(Autoscaler(self._pool.crew, *scale).run())
        background = [self._loop.create_task(part) for part in parts]
        try:
            failed = await self._first_done(background[0])
            return max(await self._drain(), int(failed))
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            self._lapse.close()
            await self._reporter.close()

    async def _first_done(self, stream: asyncio.Task[None]) -> bool:
        """Wait for `stop`. True: a fault of our own ended the stream; that must not leave a worker that seems alive."""
        await _first(None, stream, self._shutdown.asked)
        if not stream.done():
            return False
        logger.critical("the lease stream failed; the worker stops", exc_info=stream.exception())
        self._shutdown.begin()
        return True

    async def _learn_limits(self, gateway: Gateway) -> None:
        backoff = Backoff(0.2, 5.0)
        while True:
            try:
                limits = await gateway.limits(timeout=5.0)
            except GatewayError as error:
                if error.final:
                    logger.warning("the gateway does not tell its limits, the defaults are taken: %s", error)
                    return
                await asyncio.sleep(backoff.next())
            else:
                self._reporter.limits = limits
                self._pool.crew.set_limits(limits)
                return

    async def _announce(self) -> None:
        await self._pool.crew.wait_all_up()
        await self._welcomed.wait()
        self.ready.set()
        self._say(f"{self._settings.name} ready.")
        if self._settings.log_file and self._settings.log_format != "json":  # there it is in the log already
            logger.info("%s ready.", self._settings.name)
        self._notices.ready()

    # The end.

    def on_signal(self, sign: signal.Signals) -> None:
        """A signal that asks for the end came; how soon that is, `shutdown` tells."""
        self._shutdown.on_signal(sign)

    def stop(self) -> dict[str, str]:
        """End as SIGTERM does; the answer is for the command `shutdown`."""
        self._shutdown.begin()
        return {"ok": "shutting down"}

    async def _drain(self) -> int:
        """Hand back what is not started, let the rest end, report it all. Returns the exit code."""
        running = sum(1 for child in self._pool.children.values() for slot in child.slots if slot.assigned)
        self._say(f"{self._settings.name}: no more tasks are taken; {running} running (a second signal stops them)")
        self._arrivals.hand_back(_DRAINS)
        self._pool.hand_back_unstarted(_DRAINS)
        self._check_quiet()
        drained = self._loop.create_task(self._stream.drain(_DRAIN_ACK_SECONDS))
        limit = self._settings.drain_timeout
        timeout = limit.total_seconds() if limit is not None else None
        await _first(timeout, self._quiet, self._shutdown.cold)
        if not self._quiet.is_set():
            self._shutdown.freeze()
            self._pool.kill_running(_STOPS)
            await _first(_KILL_SECONDS, self._quiet, self._shutdown.hard)
            if not self._quiet.is_set():
                logger.error("some children could not be killed within %g s", _KILL_SECONDS)
        await _first(None, drained, self._shutdown.hard)
        return await self._report_the_last()

    async def _report_the_last(self) -> int:
        flushed = self._loop.create_task(self._reporter.flushed(_LAST_REPORTS_SECONDS))
        await _first(None, flushed, self._shutdown.hard)
        if not flushed.done():
            flushed.cancel()
            await self._reporter.flushed(_HARD_REPORTS_SECONDS)
        if not self._held:
            return 0
        logger.error("%d tasks could not be reported; their leases lapse and they run again", len(self._held))
        return 1

    def _check_quiet(self) -> None:
        if self._shutdown.asked.is_set() and self._pool.open_count == 0:
            self._quiet.set()

    # What the pool tells.

    def on_outcome(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        """A delivery ended."""
        self._log.ended(delivery, outcome, report, run_ns)
        self._monitoring.ended(delivery.name, outcome, run_ns)
        self._notices.ended(delivery, outcome, report)
        self._reporter.add(delivery, report, final=True)

    def on_report(self, delivery: Delivery, report: bytes) -> None:
        """A delivery started, or tells how far it is."""
        if delivery.stop is None or delivery.stop.ending is not Ending.SILENT:
            self._reporter.add(delivery, report, final=False)

    def on_drop(self, delivery: Delivery) -> None:
        """A delivery whose lease is lost has ended."""
        self._held.pop(delivery.token, None)

    def on_room(self) -> None:
        """The pool has changed: more may be leased, or nothing is left."""
        pool = self._pool
        if self._settings.adopt and not pool.children:
            self._shutdown.begin()  # the process that ran the tasks is gone
        if self._shutdown.asked.is_set():
            self._check_quiet()
        elif self._welcomed.is_set() and not self._reporter.is_behind:
            self._stream.offer(pool.wanted, pool.open_count + len(self._arrivals), pool.open_bytes)

    # What the gateway answers to reports.

    def on_confirmed(self, delivery: Delivery) -> None:
        """Its outcome is stored."""
        self._held.pop(delivery.token, None)

    def on_lease_lost(self, delivery: Delivery) -> None:
        """It runs here, but is held no longer."""
        is_told = delivery.stop is not None and delivery.stop.ending is Ending.SILENT
        if not delivery.ended and not is_told:
            logger.warning("Task %s[%s]: its lease was lost, it is stopped", delivery.log_name, delivery.task_id)
            self._stop(delivery, Stop(Ending.SILENT, kill=True, grace=LOST_GRACE))

    def on_start_confirmed(self, delivery: Delivery) -> None:
        """Its start is stored: what runs at most once may run now."""
        self._pool.confirm_start(delivery)

    def on_cancel_requested(self, delivery: Delivery) -> None:
        """Its cancellation was asked for before it reported its start."""
        if not delivery.ended and delivery.stop is None:
            self._stop(delivery, Stop(Ending.CANCELLED, kill=False))

    def on_answered(self) -> None:
        """A batch of reports has been answered."""
        self.on_room()

    # What comes over the stream.

    def hello(self) -> worker_service_pb2.Hello:
        """Make the message that opens a stream."""
        catalog = self._catalog
        return worker_service_pb2.Hello(
            worker_id=self._worker_id,
            held_lease_tokens=self._held,
            queues=self._queues,
            task_names=[task.name for task in catalog.tasks],
            all_task_names=catalog.unknown_task == "fail",
            info=self._facts.info(),
        )

    def held_tokens(self) -> Iterable[str]:
        """All leases whose outcome the gateway has not confirmed."""
        return self._held

    def on_connected(self) -> None:
        """A stream is up."""
        self._welcomed.set()
        self._lapse.watch()
        self.on_room()

    def on_leases(self, leases: Iterable[worker_service_pb2.TaskLease]) -> None:
        """Work came."""
        deliveries = self._intake.deliveries(leases, self._loop.time())
        taken = self._facts.taken
        for delivery in deliveries:
            self._held[delivery.token] = delivery
            taken[delivery.name] = taken.get(delivery.name, 0) + 1
            self._log.received(delivery)
            self._notices.received(delivery)
        self._run(self._arrivals.take(deliveries))

    def on_arrived(self, delivery: Delivery) -> None:
        """It has all its inputs now."""
        self._run([delivery])

    def _run(self, deliveries: list[Delivery]) -> None:
        self._pool.take(deliveries)
        self._watch.wake()
        self.on_room()

    def _stop(self, delivery: Delivery, stop: Stop) -> None:
        if not self._arrivals.stop(delivery, stop):
            self._pool.stop(delivery, stop)

    def on_lost(self, tokens: Iterable[str]) -> None:
        """These leases are held no longer. Those that have ended are left to their reports."""
        for token in tokens:
            delivery = self._held.get(token)
            if delivery is not None:
                self.on_lease_lost(delivery)

    def on_cancel(self, items: Iterable[worker_service_pb2.CancelLeases.Item]) -> None:
        """The cancellation of these is asked for."""
        for item in items:
            delivery = self._held.get(item.lease_token)
            if delivery is None or delivery.ended:
                continue
            grace = item.grace.ToTimedelta().total_seconds() if item.HasField("grace") else _DEFAULT_GRACE
            sign = signal_named(item.signal) if item.terminate else None
            stop = Stop(Ending.CANCELLED, item.terminate, sign, grace, item.reason, pending_only=item.pending_only)
            self._stop(delivery, stop)

    def on_command(self, command: worker_service_pb2.WorkerCommand, reply: Reply) -> None:
        """An operator wants something: of this worker, or of the app."""
        if command.command in self.commands or command.command not in self._catalog.commands:
            reply(self.commands.answer(command, also=self._catalog.commands))
        else:
            self._service.run(command, reply)

    def on_heartbeat(self) -> None:
        """All leases are told to the gateway."""
        self._notices.renewed()


async def _first(timeout: float | None, *what: asyncio.Event | asyncio.Task[Any]) -> None:
    """Wait until one of these is set or done, at most `timeout` seconds."""
    loop = asyncio.get_running_loop()
    waits = [one if isinstance(one, asyncio.Task) else loop.create_task(one.wait()) for one in what]
    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for wait, one in zip(waits, what, strict=True):
        if wait is not one:
            wait.cancel()


__all__ = ["BrokenApp", "Reconfigured", "Worker"]

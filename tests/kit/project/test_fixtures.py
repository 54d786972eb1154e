"""The fixtures, under both names."""

import asyncio
import os
import sys
import threading
import time
from typing import Any
from unittest import mock

import pytest
import shop

from caraway import Caraway, Signature
from caraway.canvas import chord
from caraway.contrib.testing.app import TestApp, setup_default_app
from caraway.contrib.testing.manager import Manager
from caraway.contrib.testing.tasks import ping
from caraway.contrib.testing.worker import TestWorkController, start_worker
from caraway.current import current_app
from caraway.exceptions import ImproperlyConfigured, NotRegistered, SoftTimeLimitExceeded, TaskRevokedError
from caraway.signals import task_postrun, task_prerun, task_received, task_revoked, task_unknown

DEADLINE = 30


def test_a_task_of_the_test_runs_in_the_worker(celery_app: Caraway, celery_worker: TestWorkController) -> None:
    @celery_app.task
    def mul(x: int, y: int) -> list[int]:
        return [x * y, os.getpid(), threading.get_ident()]

    celery_worker.reload()
    product, pid, thread = mul.delay(4, 4).get(timeout=DEADLINE)
    assert (product, pid) == (16, os.getpid())
    assert thread != threading.get_ident()


def test_both_names_are_one(
    caraway_app: Caraway, celery_app: Caraway, caraway_worker: Any, celery_worker: Any, caraway_session_app: Caraway,
    celery_session_app: Caraway, depends_on_current_app: None, use_caraway_app_trap: bool,
) -> None:  # fmt: skip
    assert caraway_app is celery_app is not caraway_session_app is celery_session_app
    assert caraway_worker is celery_worker
    assert caraway_app.target != caraway_session_app.target
    assert not use_caraway_app_trap


def test_fixtures_that_are_overridden_count(caraway_app: Caraway, caraway_worker: TestWorkController) -> None:
    assert caraway_app.default_queue == "from-config"
    assert "included" in sys.modules
    assert (caraway_worker.stats() or {})["pid"] == os.getpid() == caraway_worker.pid


def test_the_worker_s_app_has_the_classes_and_the_task_of_the_kit(
    celery_app: Caraway, celery_worker: TestWorkController, celery_session_app: Caraway, celery_session_worker: Any
) -> None:
    assert celery_app.send_task("shop.Count", ((1, 2),)).get(timeout=DEADLINE) == 2
    assert celery_session_app.send_task("shop.Count", ((),)).get(timeout=DEADLINE) == 0
    celery_app.set_current()
    assert ping.delay().get(timeout=DEADLINE) == "pong"


@pytest.mark.celery(default_queue="of-the-mark", broker_url="grpc://127.0.0.1:9")
def test_a_mark_changes_the_apps_settings(celery_app: Caraway) -> None:
    assert (celery_app.default_queue, celery_app.target) == ("of-the-mark", "grpc://127.0.0.1:9")


@pytest.mark.parametrize("time_", ["first", "second"])
def test_each_test_has_a_gateway_of_its_own(caraway_app: Caraway, time_: str) -> None:
    with pytest.raises(NotRegistered):
        caraway_app.find_task("left")
    caraway_app.task(name="left")(lambda: None).delay()
    assert caraway_app.control.purge() == 1


def test_the_sessions_worker_lives_on(
    celery_session_app: Caraway, celery_session_worker: TestWorkController, caraway_session_worker: Any
) -> None:
    assert celery_session_worker is caraway_session_worker
    assert celery_session_app.control.ping(timeout=10) == [{celery_session_worker.hostname: {"ok": "pong"}}]


def test_what_the_test_patched_is_what_the_task_sees(caraway_app: Caraway) -> None:
    @caraway_app.task
    def patched() -> int:
        return shop.price("abc")

    with start_worker(caraway_app), mock.patch("shop.price", return_value=42):
        assert patched.delay().get(timeout=DEADLINE) == 42


def test_signals_are_sent_in_the_tests_process(caraway_app: Caraway) -> None:
    seen: list[Any] = []

    def note(signal: Any, sender: Any, **_told: Any) -> None:
        seen.append((signal.name, getattr(sender, "name", getattr(sender, "hostname", sender))))

    def named(name: str) -> Any:
        return lambda: [entry for entry in seen if entry[0] == name]

    for signal in (task_prerun, task_postrun, task_received, task_unknown):
        signal.connect(note)
    caraway_app.unknown_task = "fail"

    @caraway_app.task(name="known")
    def known() -> str:
        caraway_app.control.ping(timeout=10)  # a receiver, or a task, may call the gateway
        return "done"

    with start_worker(caraway_app, hostname="me@here") as worker:
        assert worker.hostname == "me@here"
        assert known.delay().get(timeout=DEADLINE) == "done"
        assert named("task_received")() == [("task_received", "me@here")]
        assert [entry for entry in seen if "run" in entry[0]] == [("task_prerun", "known"), ("task_postrun", "known")]
        with pytest.raises(NotRegistered):
            caraway_app.send_task("nobody.knows").get(timeout=DEADLINE)
        Manager(caraway_app).wait_for(Manager(caraway_app).true_or_raise, args=(named("task_unknown"),))
    assert named("task_unknown")() == [("task_unknown", "me@here")]


def test_async_tasks_threads_and_soft_limits(caraway_app: Caraway) -> None:
    barrier = threading.Barrier(2)

    @caraway_app.task
    def together() -> int:
        return barrier.wait(DEADLINE)

    @caraway_app.task
    async def awaited() -> str:
        await asyncio.sleep(0)
        return "awaited"

    @caraway_app.task
    def slow() -> None:
        while True:
            time.sleep(0.01)

    with start_worker(caraway_app, pool="threads", concurrency=2, soft_time_limit=0.3):
        assert sorted(result.get(timeout=DEADLINE) for result in [together.delay(), together.delay()]) == [0, 1]
        assert awaited.delay().get(timeout=DEADLINE) == "awaited"
        with pytest.raises(SoftTimeLimitExceeded):
            slow.delay().get(timeout=DEADLINE)


def test_a_worker_for_some_queues(caraway_app: Caraway) -> None:
    caraway_app.task(name="t")(lambda: 1)
    with start_worker(caraway_app, queues=["a", "b"]) as worker:
        queues = (caraway_app.control.inspect().active_queues() or {})[worker.hostname]
        assert [queue["name"] for queue in queues] == ["a", "b"]
        assert caraway_app.send_task("t", queue="b").get(timeout=DEADLINE) == 1


def test_a_worker_can_be_shut_down_from_afar(caraway_app: Caraway, caraway_worker: TestWorkController) -> None:
    inspect = caraway_app.control.inspect(timeout=10)
    assert inspect.ping() == {caraway_worker.hostname: {"ok": "pong"}}
    caraway_app.control.shutdown(timeout=10)
    Manager(caraway_app).wait_for(Manager(caraway_app).true_or_raise, args=(lambda: inspect.registered() is None,))


def test_the_tests_app_is_the_current_one(caraway_app: Caraway) -> None:
    assert current_app() is caraway_app


def test_a_trap_catches_the_use_of_a_current_app(caraway_app: Caraway) -> None:
    with setup_default_app(caraway_app, use_trap=True), pytest.raises(RuntimeError, match="depends on the current app"):
        Signature("by.name").delay()
    assert current_app() is caraway_app


def test_canvases_run_in_the_worker(caraway_app: Caraway) -> None:
    @caraway_app.task
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @caraway_app.task
    def double(number: int) -> int:
        return number * 2

    with start_worker(caraway_app):
        assert chord((double.s(number) for number in range(4)), total.s())().get(timeout=DEADLINE) == 12


# An app in a module of its own.


def test_the_projects_own_app_is_served_in_process(shop_app: Caraway, shop_worker: TestWorkController) -> None:
    assert shop.total.delay(["ab", "c"]).get(timeout=DEADLINE) == 3
    assert shop.host.delay().get(timeout=DEADLINE) == shop_worker.hostname


def test_its_tasks_run_in_one_child_that_is_kept(shop_app: Caraway, shop_worker: TestWorkController) -> None:
    (first, child), (second, same) = (shop.count.delay().get(timeout=DEADLINE) for _ in range(2))
    assert (second, same) == (first + 1, child)
    assert child != os.getpid()
    assert (shop_worker.stats() or {})["pool"]["processes"] == [child]
    assert (shop_worker.stats() or {})["pid"] == os.getpid()


def test_the_main_parts_signals_are_sent_here_beside_children(shop_app: Caraway, shop_worker: Any) -> None:
    seen: list[Any] = []

    @task_received.connect
    def note(request: Any, **_told: Any) -> None:
        seen.append((request.name, request.args, request.hostname))

    shop.total.delay(["x"]).get(timeout=DEADLINE)
    manager = Manager(shop_app)
    manager.wait_for(manager.true_or_raise, args=(lambda: seen,))
    assert seen == [("shop.total", (["x"],), shop_worker.hostname)]


def test_a_task_that_is_killed_is_told_as_revoked(shop_app: Caraway, shop_worker: Any) -> None:
    seen: list[Any] = []

    @task_revoked.connect(sender=shop.endless)
    def note(request: Any, terminated: bool, signum: int | None, expired: bool, **_told: Any) -> None:
        seen.append((request.id, terminated, signum, expired))

    manager = Manager(shop_app)
    running = shop.endless.delay()
    manager.assert_accepted([running.id])
    running.revoke(terminate=True, signal="SIGKILL")
    with pytest.raises(TaskRevokedError):
        running.get(timeout=DEADLINE)
    manager.wait_for(manager.true_or_raise, args=(lambda: seen,))
    assert seen == [(running.id, True, 9, False)]


def test_a_child_can_import_only_what_is_in_a_module(caraway_app: Caraway) -> None:
    with (
        pytest.raises(ImproperlyConfigured, match="app_name='module:attribute'"),
        start_worker(caraway_app, pool="process"),
    ):
        raise AssertionError("it started")
    with (
        pytest.raises(Exception, match="no module 'nowhere'"),
        start_worker(caraway_app, pool="process", app_name="nowhere:app"),
    ):
        raise AssertionError("it started")


def test_what_is_no_setting_is_refused(caraway_app: Caraway) -> None:
    with pytest.raises(TypeError, match="nonsense"), start_worker(caraway_app, nonsense=1):
        raise AssertionError("it started")
    with pytest.raises(TypeError, match="nonsense"):
        TestApp(config={"nonsense": 1})
    with pytest.raises(ImproperlyConfigured, match="'redis://x': programs and workers are given"):
        TestApp(broker_url="redis://x")
    with pytest.warns(UserWarning, match="no effect in Caraway:\n  result_backend: "):
        assert TestApp(result_backend="cache+memory://").conf.result_backend

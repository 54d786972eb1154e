"""Django: a real project on SQLite, a real gateway and a real worker."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import WorkerStarter
from support.gateway import GatewayProcess
from support.processes import eventually
from support.web import WebService
from support.worker import WorkerProcess

TESTS = Path(__file__).resolve().parents[1]
EXAMPLE = TESTS.parent / "examples" / "django"
SECONDS = 30


@pytest.fixture
def environment(gateway: GatewayProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the projects read from the environment, for programs and workers."""
    for name, value in {
        "PYTHONPATH": f"{EXAMPLE}{os.pathsep}{TESTS}",
        "DATABASE": str(tmp_path / "db.sqlite3"),
        "CELERY_BROKER_URL": f"grpc://{gateway.target}",
        "SITE_GATEWAY": gateway.target,
    }.items():
        monkeypatch.setenv(name, value)


def program(module: str, text: str) -> list[Any]:
    """Runs a program after `import module` and django.setup()."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import json, {module}, django\ndjango.setup()\n{text}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


# The example


@pytest.fixture
def migrated(environment: None) -> None:
    """The example's database has its tables."""
    subprocess.run([sys.executable, EXAMPLE / "manage.py", "migrate", "-v", "0"], timeout=60, check=True)


@pytest.fixture
def service(migrated: None) -> Iterator[WebService]:
    """The example's web service."""
    made = WebService("blog.asgi:application")
    yield made
    made.running.stop()


def test_comments_are_published_or_marked_as_spam(
    service: WebService, gateway: GatewayProcess, start_worker: WorkerStarter
) -> None:
    def post(text: str) -> int:
        posted = service.ask("POST", "/comments", {"author": "someone", "text": text})
        assert posted["state"] == "waiting"
        return int(posted["id"])

    def state_of(comment: int) -> str:
        return str(service.ask("GET", f"/comments/{comment}")["state"])

    spam, other = post("Buy CHEAP pills, click here!"), post("Thank you, the part about retries helped me")
    assert (state_of(spam), state_of(other)) == ("waiting", "waiting")
    start_worker(gateway.target, "-c", "2", app="blog")
    eventually(lambda: state_of(spam) == "spam", timeout=SECONDS)
    eventually(lambda: state_of(other) == "published", timeout=SECONDS)
    assert [one["id"] for one in service.ask("GET", "/comments")["comments"]] == [other]
    assert service.ask("POST", "/comments", ["no", "object"]) == 400
    assert service.ask("GET", "/comments/999") == 404


def test_a_rollback_leaves_no_task_and_a_commit_submits(migrated: None) -> None:
    said = program(
        "blog",
        """
from caraway.exceptions import TaskNotFound
from comments.tasks import moderate
from django.db import transaction

def state(result):
    try:
        return result.state
    except TaskNotFound:
        return None

try:
    with transaction.atomic():
        never = moderate.delay_on_commit(1)
        raise KeyError
except KeyError:
    print(json.dumps(state(never)))

with transaction.atomic():
    later = moderate.delay_on_commit(1)
    other = moderate.apply_async_on_commit((1,), countdown=3600, task_id="chosen-" + later.id)
    print(json.dumps([state(later), state(other), other.id == "chosen-" + later.id]))
print(json.dumps([state(later), state(other)]))
other.revoke()
print(json.dumps(state(moderate.delay_on_commit(1))))  # no transaction is open
with transaction.atomic():
    try:
        moderate.delay_on_commit()
    except TypeError as error:
        print(json.dumps(str(error)))
""",
    )
    assert said[:4] == [None, [None, None, True], ["PENDING", "PENDING"], "PENDING"]
    assert "comment_id" in said[4]


# What a worker makes of a project


@pytest.fixture
def site(environment: None, gateway: GatewayProcess, start_worker: WorkerStarter) -> Callable[..., WorkerProcess]:
    """Starts a worker of the test's project."""
    return lambda *flags: start_worker(gateway.target, *flags, app="e2e.django_site.app")


def results(task: str, count: int) -> list[Any]:
    """What a task of the project returned, time after time."""
    text = f"from e2e.django_site.pages import tasks\nfor _ in range({count}):\n"
    return program("e2e.django_site.app", text + f"    print(json.dumps(tasks.{task}.delay().get(timeout={SECONDS})))")


def test_tasks_of_installed_apps_are_found_with_their_models(site: Callable[..., WorkerProcess]) -> None:
    worker = site("-c", "1")
    assert results("about", 1) == [
        {"table": "pages_page", "on_commit": True, "name": "e2e.django_site.pages.tasks.about"}
    ]
    assert "e2e.django_site.pages.tasks.sync_task" in worker.output


@pytest.mark.parametrize("pool", ["process", "thread", "asyncio"])
@pytest.mark.parametrize("task", ["sync_task", "async_task"])
@pytest.mark.parametrize(("age", "kept"), [(0, False), (600, True)])
def test_connections_are_closed_as_django_closes_them(
    site: Callable[..., WorkerProcess], monkeypatch: pytest.MonkeyPatch, pool: str, task: str, age: int, kept: bool
) -> None:
    monkeypatch.setenv("CONN_MAX_AGE", str(age))
    site("-P", pool, "-c", "1")
    assert [had for _, had in results(task, 3)] == [False, kept, kept]


def test_every_child_sets_django_up(site: Callable[..., WorkerProcess]) -> None:
    site("-c", "1", "--max-tasks-per-child", "1")
    found = results("sync_task", 3)
    assert len({pid for pid, _ in found}) == 3
    assert {had for _, had in found} == {False}


def test_without_django_an_app_has_nothing_of_it(environment: None) -> None:
    text = """
import sys
from caraway import Caraway, Task
app = Caraway("plain")
assert app.Task is Task and "django" not in sys.modules
"""
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", text], env=env, timeout=60, check=True)


def test_a_task_class_of_ones_own_is_kept(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "e2e.django_site.settings")
    text = """
from caraway import Caraway, Task
from caraway.contrib.django import DjangoTask

class Own(Task): pass

assert Caraway("one", task_cls=Own).Task is Own
assert Caraway("two").Task is DjangoTask
"""
    subprocess.run([sys.executable, "-c", text], timeout=60, check=True)


def test_eager_tasks_in_djangos_own_tests(environment: None) -> None:
    """They share the test's connection and transaction."""
    said = program(
        "e2e.django_site.app",
        """
import io, unittest
from django.db import connection
from django.test import TestCase
from e2e.django_site.app import app
from e2e.django_site.pages.tasks import sync_task

app.conf.task_always_eager = True

class Tests(TestCase):
    def test_on_commit(self):
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            sync_task.delay_on_commit()
        assert len(callbacks) == 1
        assert connection.in_atomic_block
        assert sync_task.delay().get()[1] is True

ended = unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(Tests))
print(json.dumps([ended.testsRun, [text for _, text in ended.failures + ended.errors]]))
""",
    )
    assert said == [[1, []]]

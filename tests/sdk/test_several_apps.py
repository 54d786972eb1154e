"""Apps: lazy, several in a process, shared tasks, what is meant where no app is named."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway, Task, current_app, current_task, shared_task, signals
from caraway.app import app_or_default
from caraway.exceptions import AlreadyRegistered, ImproperlyConfigured, NotRegistered
from caraway.local import Proxy


def double(x: int) -> int:
    """Twice."""
    return 2 * x


def test_a_shared_task_is_usable_before_there_is_an_app(nobody: None) -> None:
    task = shared_task(name="shared.double", queue="twice")(double)
    assert (task(3), task.name, task.queue, task.__doc__) == (6, "shared.double", "twice", "Twice.")
    assert isinstance(task, Task)
    assert repr(task) == "<@task: shared.double>"
    assert not isinstance(current_app, Caraway)
    signature = task.s(4)
    with pytest.raises(ImproperlyConfigured, match="make one, Caraway"):
        task.delay(3)
    with pytest.raises(ImproperlyConfigured, match="there is no app yet"):
        signature.apply_async()
    app = Caraway("late", task_always_eager=True)
    assert (task.app, signature.app) == (app, app)
    assert (task.delay(5).get(), signature.delay().get()) == (10, 8)


def test_every_app_has_its_own_of_a_shared_task(nobody: None) -> None:
    one = Caraway("one", task_always_eager=True)
    task = shared_task(name="shared.own", bind=True)(lambda self: self.app.main)
    assert one.tasks["shared.own"].app is one
    two = Caraway("two", task_always_eager=True)
    after = shared_task(name="shared.after")(double)
    assert (two.tasks["shared.own"].app, two.tasks["shared.after"].app) == (two, two)
    assert one.tasks["shared.after"].app is one, "one was finalized before it was defined"
    assert (task.app, after.app, task.delay().get()) == (two, two, "two")
    assert task == two.tasks["shared.own"]
    assert hash(task) == hash(two.tasks["shared.own"])
    one.set_default()
    assert task.delay().get() == "one"


def test_shared_tasks_are_named_by_each_app(nobody: None) -> None:
    class Prefixing(Caraway):
        def gen_task_name(self, name: str, module: str) -> str:
            return f"mine:{name}"

    app = Prefixing("proj")
    task = shared_task(double)
    assert task.name == "mine:double"
    assert app.task(double) is app.tasks["mine:double"]
    assert Caraway("plain").tasks[f"{__name__}.double"].name == task.name


def test_a_thread_may_have_an_app_of_its_own(nobody: None) -> None:
    one, two = Caraway("one"), Caraway("two")
    seen: dict[str, Any] = {}

    def look(name: str, app: Caraway | None) -> None:
        if app is not None:
            app.set_current()
        seen[name] = current_app._get_current_object()  # type: ignore[attr-defined]

    for name, app in (("own", one), ("none", None)):
        thread = threading.Thread(target=look, args=(name, app))
        thread.start()
        thread.join()
    assert seen == {"own": one, "none": two}
    assert current_app == two
    one.set_current()
    assert (current_app == one, app_or_default(), app_or_default(two)) == (True, one, two)
    made = Caraway("made")
    assert current_app == made
    quiet = Caraway("quiet", set_as_current=False)
    assert current_app == made != quiet


def test_the_task_that_runs_is_known_whichever_app_is_meant(nobody: None) -> None:
    one = Caraway("one", task_always_eager=True)
    seen: list[Any] = []

    @one.task(name="look")
    def look() -> None:
        seen.append((one.current_task, one.current_worker_task, current_task._get_current_object()))

    Caraway("two")
    assert not current_task
    assert current_task == None  # noqa: E711 - it is a proxy of None
    look.delay()
    assert seen == [(look, look, look)]
    assert one.current_task is None


def test_an_app_is_finalized_once_when_its_tasks_are_needed() -> None:
    told: list[Any] = []

    class Own(Caraway):
        def on_init(self) -> None:
            told.append("init")

        def on_after_finalize(self) -> None:
            told.append(sorted(name for name in self.tasks if name.startswith("shared.finalized")))

    app = Own("own")
    shared_task(name="shared.finalized")(double)
    assert (told, app.finalized) == (["init"], False)
    assert app.tasks["shared.finalized"](1) == 2
    app.finalize()
    assert (told, app.finalized) == (["init", ["shared.finalized"]], True)

    heard: list[Any] = []
    other = Caraway("other")

    @other.on_after_finalize.connect
    def hear(sender: Any, **_: Any) -> None:
        heard.append(sender)

    other.finalize(auto=True)
    assert heard == [other]


def test_an_app_may_ask_to_be_finalized_by_hand() -> None:
    app = Caraway("strict", autofinalize=False)
    task = app.task(name="strict.double")(double)
    assert task(2) == 4
    for use in (lambda: app.tasks, lambda: task.delay(2), lambda: app.send_task("x")):
        with pytest.raises(RuntimeError, match=r"call app\.finalize\(\) first"):
            use()
    app.finalize()
    assert app.tasks["strict.double"] is task


def test_the_registry_is_looked_up_as_celery_s() -> None:
    app = Caraway("proj")
    task = app.task(name="proj.double")(double)
    tasks = app.tasks
    assert (tasks["proj.double"], tasks.get("no"), "proj.double" in tasks) == (task, None, True)
    with pytest.raises(NotRegistered, match="no task is registered as 'no'"):
        tasks["no"]
    with pytest.raises(KeyError):
        tasks.unregister("no")
    tasks.unregister(task)
    assert "proj.double" not in tasks
    tasks.register(task)
    assert tasks["proj.double"] is task
    with pytest.raises(AlreadyRegistered, match=r"proj\.double"):
        app.task(name="proj.double")(lambda: None)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two packages with tasks, one without, one whose tasks can't be imported."""
    texts = {"first": "", "second": "", "bare": None, "broken": "import nothing_here\n"}
    for name, text in texts.items():
        folder = tmp_path / f"found_{name}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        if text is not None:
            (folder / "tasks.py").write_text(text)
    (tmp_path / "found_first/jobs.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("found_")]:
        del sys.modules[name]


def loaded() -> set[str]:
    return {name for name in sys.modules if name.startswith("found_") and "." in name}


def test_tasks_are_discovered_when_modules_are_imported(packages: Path) -> None:
    app = Caraway("proj", include=["found_second.tasks"])
    asked: list[str] = []

    def installed() -> list[str]:
        asked.append("now")
        return ["found_first", "found_bare"]

    app.autodiscover_tasks(installed)
    app.autodiscover_tasks(["found_first"], related_name="jobs")
    assert (asked, loaded()) == ([], set())
    told: list[Any] = []

    @signals.import_modules.connect(sender=app)
    def note(sender: Any, **_: Any) -> None:
        told.append((sender, loaded()))

    app.import_default_modules()
    assert told == [(app, set())]
    assert (asked, loaded()) == (["now"], {"found_first.tasks", "found_first.jobs", "found_second.tasks"})


def test_tasks_are_discovered_at_once_by_force_and_errors_are_raised(packages: Path) -> None:
    app = Caraway("proj")
    app.autodiscover_tasks(["found_first"], force=True)
    assert loaded() == {"found_first.tasks"}
    app.autodiscover_tasks(["found_second"], related_name=None, force=True)
    assert "found_second" in sys.modules
    with pytest.raises(ModuleNotFoundError, match="nothing_here"):
        app.autodiscover_tasks(["found_broken"], force=True)
    with pytest.raises(ModuleNotFoundError, match="found_nowhere"):
        app.autodiscover_tasks(["found_nowhere"], force=True)
    with pytest.raises(ImproperlyConfigured, match="is to be told the packages"):
        app.autodiscover_tasks()

    @signals.import_modules.connect(sender=app)
    def fail(**_: Any) -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        app.import_default_modules()


def test_an_app_is_a_context_and_tells_the_time_and_its_id() -> None:
    with Caraway("proj") as app:
        assert app.now().tzinfo is not None
        assert app.oid == app.oid != Caraway("proj").oid


def test_a_proxy_is_what_it_stands_for() -> None:
    class Box:
        def __init__(self) -> None:
            self.value = 1

        def __call__(self, more: int) -> int:
            return self.value + more

        def __enter__(self) -> str:
            return "entered"

        def __exit__(self, *error: Any) -> None:
            self.value = 0

    box = Box()
    proxy: Any = Proxy(lambda: box)
    proxy.value = 5
    assert (box.value, proxy(2), proxy == box, proxy == Proxy(lambda: box), "value" in dir(proxy)) == (
        5,
        7,
        True,
        True,
        True,
    )
    with proxy as entered:
        assert entered == "entered"
    assert box.value == 0
    del proxy.value
    assert not hasattr(box, "value")
    assert (str(proxy), repr(proxy), isinstance(proxy, Box)) == (str(box), repr(box), True)

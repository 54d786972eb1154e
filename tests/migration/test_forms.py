"""The ways to write what a rule is about: each is told, and what only looks so is not."""

import json
from pathlib import Path

import pytest

from caraway.migration.finding import Finding, Level
from caraway.migration.names import find
from caraway.migration.project import Project
from caraway.migration.traps import ETA, LATE, NAIVE_ETA, PRIORITY, UNKNOWN_ID

SHORT = json.loads((Path(__file__).parents[1] / "docs" / "celery_names.json").read_text())["short_options"]


def told(folder: Path, text: str, name: str = "program.py") -> list[Finding]:
    """What is found in a project of this one file."""
    (folder / name).write_text(text)
    return Project.read(folder).findings()


@pytest.mark.parametrize(
    ("command", "short", "long"),
    [(command, *pair) for command, options in SHORT.items() for pair in options.items() if pair[1] != "--app"],
)
@pytest.mark.parametrize("value", ["", " x", "x"])
def test_short_options_are_told_as_the_long_ones(
    tmp_path: Path, command: str, short: str, long: str, value: str
) -> None:
    by_long = told(tmp_path, f"{command} {long}{' x' * bool(value)}\n", "run.sh")
    by_short = told(tmp_path, f"{command} {short}{value}\n", "run.sh")
    assert [(one.level, one.name, one.text) for one in by_short] == [(one.level, one.name, one.text) for one in by_long]
    row = find("command", f"{command} {long}")
    assert row is not None and (row.level is None or (row.level, row.advice) in {(f.level, f.text) for f in by_short})


@pytest.mark.parametrize(
    "name",
    [
        "run.sh", "run.bash", "worker.service", "compose.yml", "compose.yaml", "supervisord.conf", "uwsgi.ini",
        "setup.cfg", "rules.mk", "tool.toml", "Procfile", "Procfile.dev", "Dockerfile", "Dockerfile.worker", "Makefile",
        "makefile", "justfile", "Containerfile",
    ],
)  # fmt: skip
def test_files_that_may_hold_commands_are_read(tmp_path: Path, name: str) -> None:
    found = told(tmp_path, "# celery beat\nrun: celery -A proj worker -B\n", name)
    assert [(one.line, one.name) for one in found] == [(2, "celery worker"), (2, "celery worker --beat")]


@pytest.mark.parametrize("name", ["notes.txt", "README.md", "data.json"])
def test_other_files_are_not(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, "celery -A proj worker -B\ncelery==5.4\n", name) == []


def test_a_command_may_go_on_after_a_backslash_and_end_at_the_next_one(tmp_path: Path) -> None:
    found = told(tmp_path, "celery -A proj worker \\\n  -B \\\n && other --purge\ncelery status \\", "run.sh")
    assert [(one.line, one.name) for one in found] == [
        (1, "celery worker"),
        (1, "celery worker --beat"),
        (4, "celery status"),
    ]


@pytest.mark.parametrize(
    ("name", "line", "package"),
    [
        ("requirements.txt", "celery[redis]>=5.4", "celery"),
        ("requirements-dev.in", "celery", "celery"),
        ("requirements.txt", "django-celery-beat==2.8", "django-celery-beat"),
        ("requirements.txt", "Django-Celery-Results", "Django-Celery-Results"),
        ("pyproject.toml", '    "celery>=5",', "celery"),
        ("Pipfile", 'celery = "*"', "celery"),
    ],
)
def test_requirements(tmp_path: Path, name: str, line: str, package: str) -> None:
    found = [(one.line, one.level, one.name) for one in told(tmp_path, f"{line}\n", name)]
    assert found == [(1, Level.MUST, package)]


def test_packages_with_other_names_are_no_celery(tmp_path: Path) -> None:
    assert told(tmp_path, "celery-types\nceleryx\nnot-celery\n", "requirements.txt") == []


@pytest.mark.parametrize(
    ("call", "text"),
    [
        *((f"f.{method}(eta=datetime.now())", NAIVE_ETA) for method in ("apply_async", "aapply_async", "retry", "set")),
        *((f"app.{method}('f', eta=when)", ETA) for method in ("send_task", "asend_task", "signature")),
        ("f.subtask((), eta=datetime.utcnow())", NAIVE_ETA),
        ("f.apply_async(eta=now())", NAIVE_ETA),
        ("f.apply_async(eta=zone.now())", NAIVE_ETA),
        ("f.apply_async(eta=timezone.now())", None),
        ("f.apply_async(eta=datetime.now(tz))", ETA),
        ("f.apply_async(eta=datetime.now(tz=UTC))", None),
        ("f.apply_async(eta=datetime.now().replace(tzinfo=zone))", NAIVE_ETA),
        ("f.apply_async(eta=datetime(2030, 1, 1, tzinfo=zone))", None),
        ("f.apply_async(eta=make_aware(when))", None),
        ("f.other(eta=datetime.now())", None),
    ],
)
def test_instants(tmp_path: Path, call: str, text: str | None) -> None:
    assert [one.text for one in told(tmp_path, f"{call}\n")] == ([text] if text else [])


@pytest.mark.parametrize(
    ("lines", "is_task"),
    [
        ("from celery import Celery\nx = Celery()\n@x.task\ndef f(): pass", True),
        ("from celery.app import Celery\nx = Celery()\n@x.task()\ndef f(): pass", True),
        ("from celery.app.base import Celery\nx = Celery()\n@x.task\ndef f(): pass", True),
        ("from celery.app import shared_task\n@shared_task\ndef f(): pass", True),
        ("import celery\n@celery.shared_task(bind=True)\ndef f(self): pass", True),
        ("@my_celery.task\ndef f(): pass", True),
        ("@application.task\ndef f(): pass", True),
        ("@app.route('/')\ndef f(): pass", False),
        ("@other.task\ndef f(): pass", False),
        ("def plain(): pass", False),
    ],
)
def test_what_makes_a_task(tmp_path: Path, lines: str, is_task: bool) -> None:
    found = [one.name for one in told(tmp_path, lines) if one.text == LATE]
    assert found == ["f"] * is_task


@pytest.mark.parametrize(
    ("decorator", "is_given"),
    [("@app.task(bind=True)", True), ("@app.task(bind=False)", False), ("@app.task(name=True)", False), ("@x", False)],
)
def test_only_tasks_that_are_given_to_their_functions_have_a_self(
    tmp_path: Path, decorator: str, is_given: bool
) -> None:
    found = told(tmp_path, f"{decorator}\ndef f(self):\n    self.backend\n    self.request.delivery_tag\n    x.backend")
    assert [one.name for one in found if one.line > 2] == ["task.backend"] * is_given


def test_options_are_read_in_classes_of_tasks_only(tmp_path: Path) -> None:
    text = "import celery\nfrom celery import Task\n"
    text += "class A(Task):\n    rate_limit: str = '1/m'\nclass B(celery.Task):\n    rate_limit = '1/m'\n"
    text += "class C(Model):\n    rate_limit = '1/m'\nclass D:\n    rate_limit = '1/m'\n"
    found = [(one.line, one.name) for one in told(tmp_path, text) if one.line > 2]
    assert found == [(4, "rate_limit"), (6, "rate_limit")]


def test_results_of_ids_are_told_wherever_they_are_made(tmp_path: Path) -> None:
    text = (
        "from celery.result import AsyncResult\nAsyncResult(id)\napp.AsyncResult(id)\nf.AsyncResult(id)\nResult(id)\n"
    )
    assert [one.line for one in told(tmp_path, text) if one.text == UNKNOWN_ID] == [2, 3, 4]


def test_a_broker_s_url_is_written_where_it_stands_as_plain_text(tmp_path: Path) -> None:
    text = "from celery import Celery\na = Celery('a', broker='amqp://h')\nb = Celery('b', broker=URL)\n"
    text += "c = Celery('c', broker='grpc://h:1', backend='amqp://h')\nd = Other('d', broker='amqp://h')\n"
    path = tmp_path / "program.py"
    path.write_text(text)
    assert Project.read(tmp_path).rewritten("grpc://new:2")[path].splitlines() == [
        "from caraway import Celery",
        "a = Celery('a', broker=\"grpc://new:2\")",
        *text.splitlines()[2:],
    ]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("app.conf = {'task_send_sent_event': True}", 1),
        ("app.conf = make()", 0),
        ("app.other = {'task_send_sent_event': True}", 0),
        ("app.other.task_send_sent_event = True", 0),
        ("app.conf.task_send_sent_event: bool = True", 1),
        ("other['task_send_sent_event'] = True", 0),
        ("app.conf[name] = True", 0),
        ("other.update(task_send_sent_event=True)", 0),
        ("app.other.update({'task_send_sent_event': True})", 0),
        ("app.conf.update(**more)", 0),
        ("class Own:\n    task_send_sent_event = True\napp.config_from_object(Own)", 1),
        ("class Own:\n    task_send_sent_event: bool = True\n    def f(self): ...\napp.config_from_object(Own)", 1),
        ("class Own:\n    task_send_sent_event = True\napp.config_from_object(Other)", 0),
        ("class Own:\n    task_send_sent_event = True\napp.other(Own)", 0),
    ],
)
def test_where_settings_stand(tmp_path: Path, lines: str, count: int) -> None:
    row = find("setting", "task_send_sent_event")
    assert row is not None
    assert [one.text for one in told(tmp_path, lines)] == [row.advice] * count


@pytest.mark.parametrize(
    ("program", "file", "line"),
    [
        ("app.config_from_object('proj.config')", "proj/config.py", "task_send_sent_event: bool = True"),
        ("app.config_from_object('proj.config:Own')", "proj/config.py", "task_send_sent_event = True"),
        ("app.config_from_object('proj')", "proj/__init__.py", "task_send_sent_event = True"),
        ("app.config_from_object('conf', namespace='X')", "conf.py", "X_TASK_SEND_SENT_EVENT = True"),
        (
            "environ.setdefault('DJANGO_SETTINGS_MODULE', 'proj.django_conf')",
            "proj/django_conf.py",
            "CELERY_TASK_SEND_SENT_EVENT = True",
        ),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_modules_of_settings_are_those_that_are_named(
    tmp_path: Path, program: str, file: str, line: str, named: bool
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{line}\nmy_own = 1\n")
    (tmp_path / "program.py").write_text(program if named else "x.get('DJANGO_SETTINGS_MODULE', 'proj.django_conf')")
    found = [(Path(one.path).name, one.line, one.level) for one in Project.read(tmp_path).findings()]
    assert found == [(path.name, 1, Level.UNNEEDED)] * named


def test_default_priorities_are_told_to_mean_something_else(tmp_path: Path) -> None:
    found = told(tmp_path, "app.conf.task_default_priority = 3\napp.conf.task_default_queue = 'x'\n")
    assert [(one.line, one.level, one.text) for one in found] == [(1, Level.MEANING, PRIORITY)]


def test_a_broker_s_url_is_written_where_it_is_a_setting(tmp_path: Path) -> None:
    text = "broker_url = 'amqp://h'\nresult_backend = 'redis://h'\nbroker_read_url = 'amqp://h'\nother = 'amqp://h'\n"
    (tmp_path / "celeryconfig.py").write_text(text)
    (tmp_path / "a.py").write_text("app.conf.broker_url = 'amqp://h'\napp.conf.update(broker_url='grpc://h:1')\n")
    (tmp_path / "b.py").write_text("app.conf.broker_url = URL\n")
    changed = {path.name: new for path, new in Project.read(tmp_path).rewritten("grpc://new:2").items()}
    assert changed == {
        "celeryconfig.py": text.replace("'amqp://h'", '"grpc://new:2"', 1),
        "a.py": "app.conf.broker_url = \"grpc://new:2\"\napp.conf.update(broker_url='grpc://h:1')\n",
    }

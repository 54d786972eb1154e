"""Programs that use every name of the list: each is told, once, with what the list says of it."""

import json
from importlib import resources
from pathlib import Path

import pytest

from caraway.migration.attributes import missing
from caraway.migration.finding import Finding, Level
from caraway.migration.names import Name, all_names, find, of_kind
from caraway.migration.old_settings import current_name
from caraway.migration.project import Project
from caraway.migration.traps import PRIORITY

CELERY = json.loads((Path(__file__).parents[1] / "docs" / "celery_names.json").read_text())
SETTINGS, OPTIONS = list(of_kind("setting")), [*of_kind("task option"), *of_kind("call option")]
URLS = ("broker_url", "broker_read_url", "broker_write_url")


def told(folder: Path, text: str, name: str = "program.py") -> list[Finding]:
    """What is found in a project of this one file."""
    (folder / name).write_text(text)
    return Project.read(folder).findings()


def expected(names: list[Name]) -> list[tuple[int, Level, str]]:
    """By line, where each name stands on a line of its own, from the first on."""
    return [
        (line, Level.MUST if name.name in URLS else name.level, name.advice)
        for line, name in enumerate(names, start=1)
        if name.name in URLS or name.level is not None
    ]


def shown(findings: list[Finding]) -> list[tuple[int, Level, str]]:
    return [(finding.line, finding.level, finding.text) for finding in findings]


def without_priority(findings: list[Finding]) -> list[Finding]:
    """Priorities are told of whatever the list says."""
    return [finding for finding in findings if finding.text != PRIORITY]


def test_the_list_has_each_name_once() -> None:
    pairs = [(name.kind, name.name) for name in all_names()]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("program.py", "app.conf.{name} = None"),
        ("program.py", "app.conf['{name}'] = None"),
        ("program.py", "app.conf.update({name}=None)"),
        ("program.py", "app.conf.update({{'{name}': None}})"),
        ("program.py", "proj.app.config_from_object({{'{name}': None}})"),
        ("program.py", "Celery('proj', {name}=None)"),
        ("celeryconfig.py", "{name} = None"),
    ],
)
def test_settings_wherever_they_stand(tmp_path: Path, file: str, line: str) -> None:
    names = SETTINGS
    text = "\n".join(line.format(name=name.name) for name in names)
    if "Celery(" in line:
        names = [name for name in names if name.name not in URLS]
        text = "\n".join(line.format(name=name.name) for name in names) + "\nfrom caraway import Celery"
    found = without_priority(told(tmp_path, text, file))
    assert shown(found) == expected(names)


@pytest.mark.parametrize("upper", [True, False])
def test_settings_of_django(tmp_path: Path, upper: bool) -> None:
    (tmp_path / "app.py").write_text("app.config_from_object('django.conf:settings', namespace='CELERY')")
    names = [name.name.upper() if upper else name.name for name in SETTINGS]
    found = without_priority(told(tmp_path, "\n".join(f"CELERY_{name} = None" for name in names), "settings.py"))
    assert shown(found) == expected(SETTINGS)


def test_old_names_of_settings(tmp_path: Path) -> None:
    old: dict[str, str] = CELERY["old_settings"]
    assert {name: current_name(name) for name in old} == old
    found = told(tmp_path, "\n".join(f"app.conf.{name} = None" for name in old))
    renamed = {finding.line: finding.text for finding in found if "an old name" in finding.text}
    assert [renamed[line] for line in sorted(renamed)] == [
        f"an old name, of Celery 3: it is {name} now" for name in old.values()
    ]


def test_settings_that_are_misspelt_and_ones_of_the_user(tmp_path: Path) -> None:
    found = told(tmp_path, "app.conf.task_ack_late = True\napp.conf.my_own = 1\napp.conf.unknown_task = 'fail'\n")
    assert [str(finding) for finding in found] == [
        f"{tmp_path}/program.py:1:1: must change: task_ack_late: "
        "no setting has this name, which is refused: task_acks_late?"
    ]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("task option", "@app.task({name}=None, **more)\ndef f(): pass"),
        ("task option", "@shared_task({name}=None, **more)\ndef f(): pass"),
        ("call option", "f.apply_async((), {name}=None)\n"),
        ("call option", "app.send_task('f', {name}=None)\n"),
    ],
)
def test_options_of_tasks_and_calls(tmp_path: Path, kind: str, line: str) -> None:
    names = [name for name in of_kind(kind) if name.name != "eta"]
    text = "\n".join(line.format(name=name.name) for name in names) + "\nfrom caraway import shared_task"
    found = without_priority(told(tmp_path, text))
    assert [
        (line // 2 + 1, level, text) for line, level, text in shown(found) if "shared_task" not in text
    ] == expected(names)


def test_attributes_of_task_classes(tmp_path: Path) -> None:
    names = list(of_kind("task option"))
    body = "\n".join(f"    {name.name} = None" for name in names)
    found = told(tmp_path, f"class Base(Task):\n{body}\nfrom caraway import Task")
    assert [(line - 1, level, text) for line, level, text in shown(found)] == expected(names)


def test_commands_and_their_options(tmp_path: Path) -> None:
    names = list(of_kind("command"))
    lines = [name.name if name.name != "celery" else "celery --version" for name in names]
    found = told(tmp_path, "\n".join(lines), "run.sh")
    for line, name in enumerate(names, start=1):
        here = {(finding.level, finding.name, finding.text) for finding in found if finding.line == line}
        assert {finding[0] for finding in here} & {Level.MUST, Level.UNNEEDED}, name
        if name.level is not None and not name.name.endswith(" --app"):
            assert (name.level, name.name, name.advice) in here


def test_imports_of_public_names_are_rewritten_where_they_lead_somewhere(tmp_path: Path) -> None:
    lines = [f"from {module} import {name}" for module, names in CELERY["public_names"].items() for name in names]
    lines += [f"import {module}" for module in CELERY["public_names"]]
    path = tmp_path / "program.py"
    path.write_text("\n".join(lines))
    project = Project.read(tmp_path)
    before = {(finding.line, finding.name): finding.text for finding in project.findings()}
    assert before.keys() == {(number, line) for number, line in enumerate(lines, start=1)}
    for (_, line), text in before.items():
        dotted = line.split()[1] + ("." + line.split()[3] if line.startswith("from") else "")
        known = find("name", dotted)
        assert text == known.advice if known is not None else text.startswith(("from caraway", "import caraway")), line
    path.write_text(project.rewritten(None)[path])
    rewritten = path.read_text().splitlines()
    left = {finding.line for finding in Project.read(tmp_path).findings() if finding.level is Level.MUST}
    assert left == {number for number, line in enumerate(rewritten, start=1) if line.split()[1].startswith("celery")}
    for old, new in zip(lines, rewritten, strict=True):
        if old != new:
            exec(new, {})
    assert {"from caraway.result import AsyncResult", "from caraway import chain", "import caraway.states"} <= {
        *rewritten
    }


def test_attributes_of_apps_tasks_and_requests(tmp_path: Path) -> None:
    shipped = json.loads(resources.files("caraway.migration").joinpath("attributes.json").read_text())
    ways = {
        "app": "proj.{}", "task": "this.{}", "request": "this.request.{}", "control": "proj.control.{}",
        "inspect": "proj.control.inspect().{}",
    }  # fmt: skip
    uses = [(kind, name) for kind in ways for name in shipped[kind]]
    lines = ["from celery import Celery; proj = Celery('proj')", "@proj.task(bind=True)", "def use(this):"]
    lines += [f"    {ways[kind].format(name)}" for kind, name in uses]
    found = {
        (finding.line - 4, finding.name): finding.text
        for finding in told(tmp_path, "\n".join(lines))
        if finding.line > 3
    }
    names = {(index, f"{kind}.{name}") for index, (kind, name) in enumerate(uses) if name in missing()[kind]}
    assert found.keys() == names
    rows = {name: find("member", name) or find("task option", name.partition(".")[2]) for _, name in names}
    assert found == {(index, name): row.advice for index, name in names if (row := rows[name]) is not None}
    assert {(kind, name) for kind, names in missing().items() for name in names} >= {
        ("app", "amqp"),
        ("task", "backend"),
        ("control", "rate_limit"),
        ("inspect", "clock"),
    }
    assert not missing()["task"] & {"delay", "retry", "request", "update_state"}


def test_states_that_a_task_may_not_report(tmp_path: Path) -> None:
    values = ("'FAILURE'", "states.SUCCESS", "'AT 3'")
    found = told(tmp_path, "\n".join(f"self.update_state(state={value})" for value in values))
    assert [(finding.line, finding.level) for finding in found] == [(1, Level.MUST), (2, Level.MUST)]


def test_periodic_tasks_are_told_of_once_whatever_the_app_is_called(tmp_path: Path) -> None:
    lines = ["from celery import Celery, current_app", "proj = Celery('proj')", "proj.add_periodic_task(1, f.s())"]
    lines += ["sender.add_periodic_task(1, f.s())", "self.it.add_periodic_task(1, f.s())"]
    lines += ["current_app.add_periodic_task(1, f.s())", "proj.worker_main(['worker'])", "proj.start()"]
    found = [(finding.line, finding.text) for finding in told(tmp_path, "\n".join(lines)) if finding.line > 2]
    assert [line for line, _ in found] == [3, 4, 5, 6]
    assert {text for _, text in found} == {find("member", "app.add_periodic_task").advice}  # type: ignore[union-attr]

"""app.conf: settings by Celery's names, from wherever they come, put together when the first is needed."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caraway import Caraway, Celery
from caraway.conf import OPTIONS
from caraway.conf.reference import reference
from caraway.exceptions import ImproperlyConfigured


@pytest.fixture
def app() -> Caraway:
    return Caraway("proj", set_as_current=False)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that can be imported as `celeryconfig_here`; write its text."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "celeryconfig_here.py"
    sys.modules.pop("celeryconfig_here", None)


def test_celery_is_an_alias() -> None:
    assert Celery is Caraway


def test_every_setting_has_its_default(app: Caraway) -> None:
    assert {name: app.conf[name] for name in OPTIONS} == {name: one.default for name, one in OPTIONS.items()}
    assert app.conf.without_defaults() == {}


def test_attribute_item_and_update_are_one(app: Caraway) -> None:
    app.conf.task_serializer = "yaml"
    assert (app.conf["task_serializer"], app.task_serializer) == ("yaml", "yaml")
    app.conf["result_serializer"] = "msgpack"
    app.conf.update(task_default_queue="mail", worker_concurrency=3)
    app.task_always_eager = True
    assert app.conf.task_always_eager is True
    assert app.default_queue == "mail"
    assert app.conf.get("worker_concurrency") == 3
    assert app.conf.setdefault("worker_concurrency", 9) == 3
    assert app.conf.setdefault("own_setting", 9) == app.conf.own_setting == 9
    del app.conf.worker_concurrency
    assert app.conf.worker_concurrency is None


def test_old_names_are_those_of_today(app: Caraway) -> None:
    app.conf.update(CELERYD_CONCURRENCY=4, CELERY_TASK_SERIALIZER="yaml", CELERY_TASK_RESULT_EXPIRES=60)
    assert (app.conf.worker_concurrency, app.conf.task_serializer, app.conf.result_expires) == (4, "yaml", 60)
    assert app.conf.CELERYD_CONCURRENCY == 4


def test_what_was_set_goes_before_sources_and_those_before_defaults(app: Caraway) -> None:
    app.conf.task_serializer = "yaml"
    app.add_defaults({"task_serializer": "pickle", "result_serializer": "pickle", "worker_concurrency": 7})
    app.config_from_object({"task_serializer": "msgpack", "result_serializer": "msgpack"})
    assert app.conf.task_serializer == "yaml"
    assert app.conf.result_serializer == "msgpack"
    assert app.conf.worker_concurrency == 7
    app.add_defaults(lambda: {"worker_concurrency": 8, "worker_pool": "thread"})
    assert (app.conf.worker_concurrency, app.conf.worker_pool) == (8, "thread")


def test_a_module_by_its_name_is_read_when_first_needed(app: Caraway, module: Path) -> None:
    module.write_text("from datetime import timezone\nimport os\ntask_serializer = 'yaml'\nown = 1\n")
    app.config_from_object("celeryconfig_here")
    assert "celeryconfig_here" not in sys.modules
    assert app.conf.task_serializer == "yaml"
    assert "own" not in app.conf  # a module has more than its settings
    assert app.conf.timezone is None


def test_a_namespace_takes_what_begins_with_it(app: Caraway, module: Path) -> None:
    module.write_text("CELERY_TASK_SERIALIZER = 'yaml'\nCELERY_OWN = 1\nTASK_DEFAULT_QUEUE = 'x'\nDEBUG = True\n")
    app.config_from_object("celeryconfig_here", namespace="CELERY")
    assert app.conf.without_defaults() == {"task_serializer": "yaml", "own": 1}
    assert Caraway(config_source="celeryconfig_here", namespace="CELERY").conf.task_serializer == "yaml"


@pytest.mark.parametrize("name", ["celeryconfig_here:Config", "celeryconfig_here.Config"])
def test_a_class_by_its_name(app: Caraway, module: Path, name: str) -> None:
    module.write_text("class Config:\n    task_serializer = 'yaml'\n")
    app.config_from_object(name, force=True)
    assert app.conf.task_serializer == "yaml"


def test_any_object_will_do(app: Caraway) -> None:
    app.config_from_object(SimpleNamespace(task_default_queue="a", worker_pool="thread"))
    assert (app.conf.task_default_queue, app.conf.worker_pool) == ("a", "thread")


def test_a_source_that_is_not_there(app: Caraway, module: Path) -> None:
    app.config_from_object("no_such_module_here")
    with pytest.raises(ImproperlyConfigured, match="no_such_module_here"):
        app.conf.task_serializer  # noqa: B018
    app.config_from_object("no_such_module_here", silent=True)
    assert app.conf.task_serializer == "json"
    module.write_text("import no_such_module_here\n")
    app.config_from_object("celeryconfig_here")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_here"):  # it is there; what it needs is not
        app.conf.task_serializer  # noqa: B018


def test_an_environment_variable_names_the_module(app: Caraway, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module.write_text("task_serializer = 'yaml'\n")
    with pytest.raises(ImproperlyConfigured, match="CONFIG_HERE"):
        app.config_from_envvar("CONFIG_HERE")
    assert app.config_from_envvar("CONFIG_HERE", silent=True) is False
    monkeypatch.setenv("CONFIG_HERE", "celeryconfig_here")
    assert app.config_from_envvar("CONFIG_HERE") is True
    assert app.conf.task_serializer == "yaml"


def test_a_command_line(app: Caraway) -> None:
    app.config_from_cmdarg(["task_serializer=yaml", ".concurrency=4", "task_always_eager=yes"], namespace="worker")
    assert (app.conf.task_serializer, app.conf.worker_concurrency, app.conf.task_always_eager) == ("yaml", 4, True)
    with pytest.raises(ValueError, match="NAME=VALUE, not 'x'"):
        app.config_from_cmdarg(["x"])


def test_an_app_s_time_is_in_its_zone(app: Caraway) -> None:
    assert (app.timezone, app.now().tzinfo, app.uses_utc_timezone()) == (UTC, UTC, True)
    zones: tuple[Any, ...] = ("Europe/Berlin", ZoneInfo("Europe/Berlin"))
    for zone in zones:
        app.conf.timezone = zone
        assert app.timezone == app.now().tzinfo == ZoneInfo("Europe/Berlin")
    assert not app.uses_utc_timezone()
    assert abs(app.now() - datetime.now(UTC)) < timedelta(minutes=1)
    app.conf.timezone = "UTC"
    assert app.uses_utc_timezone()
    for wrong in ("Europe/Nowhere", 7, "../etc"):
        app.conf.timezone = wrong
        with pytest.raises(ImproperlyConfigured, match=r"Europe/Berlin.*tzdata"):
            app.now()
    app.conf.update(timezone=None, enable_utc=False)
    assert app.now().utcoffset() == datetime.now().astimezone().utcoffset()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"task_serialiser": "json"}, "'task_serialiser'; did you mean 'task_serializer'"),
        ({"TASK_SERIALISER": "json"}, "did you mean 'task_serializer'"),
        ({"worker_concurrency": "many"}, "worker_concurrency can't be 'many': write a whole number"),
        ({"worker_concurrency": 0}, "from 1 on"),
        ({"task_default_priority": 10}, "from 0 to 9"),
        ({"task_time_limit": -1}, "more than 0 seconds"),
        ({"broker_url": "redis://:word@here/0"}, "grpc://HOST:PORT.*caraway server --redis"),
        ({"broker_url": "amqp://here"}, "grpc://HOST:PORT"),
        ({"unknown_task": "drop"}, "'wait' or 'fail'"),
    ],
)
def test_what_can_t_be_is_refused_and_nothing_is_set(app: Caraway, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as raised:
        app.conf.update({"task_default_queue": "x", **settings})
    assert app.conf.without_defaults() == {}
    assert "word" not in str(raised.value)
    app.config_from_object(settings)
    with pytest.raises(ImproperlyConfigured, match=says):
        app.conf.task_serializer  # noqa: B018


def test_settings_that_mean_nothing_here_are_told_once_with_what_stands_for_them(app: Caraway) -> None:
    app.conf.update(result_backend="rpc://", broker_transport_options={"visibility_timeout": 3600})
    with pytest.warns(
        UserWarning, match=r"(?s)broker_transport_options: .*leases.*result_backend: .*gateway keeps"
    ) as told:
        assert app.conf.result_backend == "rpc://"
    assert len(told) == 1
    app.conf.worker_concurrency = 2
    assert app.conf.worker_concurrency == 2  # a second warning would be an error


def test_the_constructor_takes_celery_s_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARAWAY_TARGET", raising=False)
    with pytest.warns(
        UserWarning, match=r"Caraway\(\) that .*\n  loader: modules.*\n  backend: the gateway keeps"
    ) as told:
        app = Celery(
            "proj", loader="app", broker="grpc://here:1", backend="rpc://", include=["a", "b"], task_serializer="yaml"
        )
    assert len(told) == 1
    assert app.target == "grpc://here:1"
    assert (app.conf.include, app.conf.task_serializer) == (("a", "b"), "yaml")
    assert Celery(changes={"worker_pool": "thread"}).conf.worker_pool == "thread"
    with pytest.raises(TypeError, match="no option 'brokr'"):
        Celery("proj", brokr="grpc://here")
    with pytest.raises(TypeError, match="no option 'task_serialiser'; did you mean 'task_serializer'"):
        Celery("proj", task_serialiser="json")


def test_showing_hides_what_looks_like_a_secret(app: Caraway) -> None:
    app.conf.update(my_api_key="abc", broker_url="grpc://user:word@here:1", own={"password": "abc", "rest": 1})
    shown = app.conf.humanize()
    assert "abc" not in shown
    assert "word@" not in shown
    assert "'rest': 1" in shown
    assert "task_serializer" not in shown
    assert "task_serializer: 'json'" in app.conf.humanize(with_defaults=True)
    assert app.conf.table(censored=False)["my_api_key"] == "abc"


def test_tasks_follow_the_settings_unless_they_say_otherwise(app: Caraway) -> None:
    @app.task
    def plain() -> None: ...

    @app.task(acks_late=True, time_limit=9, ignore_result=False, track_started=False)
    def own() -> None: ...

    app.conf.update(
        task_acks_late=False, task_time_limit=3, task_soft_time_limit=2, task_ignore_result=True,
        task_track_started=True, task_reject_on_worker_lost=False,
    )  # fmt: skip
    assert (plain.acks_late, plain.time_limit, plain.soft_time_limit) == (False, 3, 2)
    assert (plain.ignore_result, plain.track_started, plain.reject_on_worker_lost) == (True, True, False)
    assert (own.acks_late, own.time_limit, own.ignore_result, own.track_started) == (True, 9, False, False)


def test_the_reference_is_what_the_table_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "app-settings.md"
    assert page.read_text() == reference(), "run `make reference`"


def test_hooks_and_signals_of_the_configuration(app: Caraway) -> None:
    heard: list[Any] = []
    app.on_configure.connect(lambda **_: heard.append("configure"), weak=False)
    app.on_after_configure.connect(lambda source, **_: heard.append(source.task_serializer), weak=False)
    assert heard == []
    app.conf.task_serializer = "yaml"
    assert heard == []
    assert app.conf.result_serializer == "json"
    assert heard == ["configure", "yaml"]


def test_conf_may_be_put_in_place_of_the_old_one(app: Caraway) -> None:
    app.conf.task_serializer = "yaml"
    app.conf = {"result_serializer": "yaml"}
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "yaml")

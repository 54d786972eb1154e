"""Settings: where they come from, what goes before what, and that all that is wrong is told at once."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from caraway import Caraway
from caraway.exceptions import ImproperlyConfigured
from caraway.settings import (
    DURATION,
    ConfigFile,
    InvalidSettings,
    Problem,
    Unreadable,
    environment_of,
    find_file,
    load,
    mask_password,
    setting,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Settings of every kind."""

    section: ClassVar[str] = "worker"

    url: str = setting("", "A URL.", secret=mask_password)
    token: str = setting("", "A token.", secret=True)
    count: int = setting(3, "A number.", flags=("-c", "--how-many"))
    wait: timedelta = setting(timedelta(seconds=1), "A duration.")
    on: bool = setting(False, "A switch.")
    level: str = setting("LOW", "A choice.", choices=("LOW", "HIGH"))
    names: tuple[str, ...] = setting((), "Names.")
    folder: Path | None = setting(None, "A path.")
    once: bool = setting(False, "Now.", only_flag=True)

    def __post_init__(self) -> None:
        problems = []
        if self.count < 0:
            problems.append(Problem("count", "write 0 or more"))
        if self.token == "short":
            problems.append(Problem("token", "write a longer one"))
        if problems:
            raise InvalidSettings(problems)


def file(**table: Any) -> ConfigFile:
    """A file with a table of these."""
    return ConfigFile("f.toml", {"worker": table})


def problems(**given: Any) -> list[str]:
    """What is wrong, a line each."""
    with pytest.raises(InvalidSettings) as caught:
        load(Sample, given.get("flags"), given.get("file"), given.get("environ", {}))
    return str(caught.value).splitlines()


def test_flag_before_environment_before_file_before_default() -> None:
    environ = {"CARAWAY_WORKER_HOW_MANY": "20", "CARAWAY_WORKER_WAIT": "2"}
    loaded = load(Sample, {"count": "10"}, file(how_many=30, wait=9, level="high"), environ)
    assert (loaded.settings.count, loaded.settings.wait, loaded.settings.level) == (10, timedelta(seconds=2), "HIGH")
    assert [loaded.origins[name] for name in ("count", "wait", "level", "on")] == [
        "--how-many", "CARAWAY_WORKER_WAIT", "f.toml [worker]", "default",
    ]  # fmt: skip


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load(Sample, None, file(level="HIGH"), {"CARAWAY_WORKER_LEVEL": ""}).settings.level == "HIGH"


def test_every_kind_is_read_from_text_and_from_toml() -> None:
    wanted = Sample("u", "t", 7, timedelta(milliseconds=1500), True, "HIGH", ("a", "b"), Path("p"))
    texts = {"URL": "u", "TOKEN": "t", "HOW_MANY": "7", "WAIT": "1.5s", "ON": "yes", "LEVEL": "high", "NAMES": "a, b"}
    texts["FOLDER"] = "p"
    assert load(Sample, None, None, {f"CARAWAY_WORKER_{name}": text for name, text in texts.items()}).settings == wanted
    table = file(url="u", token="t", how_many=7, wait=1.5, on=True, level="HIGH", names=["a", "b"], folder="p")
    assert load(Sample, None, table, {}).settings == wanted


def test_settings_pass_to_another_process_by_its_environment() -> None:
    wanted = Sample("redis://u:p@h", "t", 7, timedelta(milliseconds=1), True, "HIGH", ("a", "b"), Path("p"))
    assert load(Sample, None, None, environment_of(wanted)).settings == wanted


def test_all_that_is_wrong_is_told_at_once_with_name_source_and_what_to_write() -> None:
    told = problems(
        flags={"count": "-2", "wait": "soon"},
        environ={"CARAWAY_WORKER_ON": "perhaps", "CARAWAY_WORKER_TOKEN": "short"},
        file=file(level="MIDDLE", url=5),
    )
    assert sorted(told) == [
        "how_many = -2 (--how-many): write 0 or more",
        "level = MIDDLE (f.toml [worker]): write one of LOW, HIGH",
        "on = perhaps (CARAWAY_WORKER_ON): write true or false",
        "token = *** (CARAWAY_WORKER_TOKEN): write a longer one",
        "url = 5 (f.toml [worker]): write text, in quotes",
        "wait = soon (--wait): write seconds, or a duration like 500ms, 15s, 10m, 6h or 1d",
    ]


def test_what_is_no_setting_is_refused_with_the_nearest_that_is() -> None:
    assert problems(file=file(how_mny=1, once=True), environ={"CARAWAY_WORKER_WAITT": "1"}) == [
        "how_mny (f.toml [worker]): there is no such setting; did you mean how_many?",
        "once (f.toml [worker]): there is no such setting; did you mean on?",
        "CARAWAY_WORKER_WAITT (environment): there is no such setting; did you mean CARAWAY_WORKER_WAIT?",
    ]


def test_variables_that_kubernetes_makes_of_a_service_are_left_alone() -> None:
    names = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT", "PORT_50051_TCP", "PORT_50051_TCP_ADDR"]
    load(Sample, None, None, {f"CARAWAY_WORKER_{name}": "tcp://10.0.0.1:50051" for name in names})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15", 15), ("0.5", 0.5), ("500ms", 0.5), ("10 m", 600), ("6h", 21600), ("1d", 86400), ("-1", -1), (2.5, 2.5)],
)
def test_a_duration(text: object, seconds: float) -> None:
    assert DURATION.read(text) == timedelta(seconds=seconds)
    assert DURATION.read(DURATION.write(DURATION.read(text))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["soon", "", "nan", "1e400", "1e3", "5 parsecs", True, None, "999999999999d"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(Unreadable):
        DURATION.read(text)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:pa@ss:w@host:1/0", "redis://user:***@host:1/0"),
        ("redis://:secret@host", "redis://:***@host"),
        ("unix:///a.sock?password=secret&db=1", "unix:///a.sock?password=***&db=1"),
        ("sentinel://:a@b,c/d?sentinel_password=secret", "sentinel://:***@b,c/d?sentinel_password=***"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_password_in_a_url_is_not_shown(url: str, shown: str) -> None:
    assert mask_password(url) == shown


# Files


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sever]\na=1", "sever (caraway.toml): there is no such table; did you mean server?"),
        ("client = 1", "client (caraway.toml): write a table: [client]"),
        ("[client", "caraway.toml: it is no TOML: "),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "caraway.toml").write_text(text)
    with pytest.raises(InvalidSettings) as caught:
        find_file()
    assert str(caught.value).startswith(told)


def test_a_named_file_must_be_there_and_goes_before_the_folder_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file() == ConfigFile()
    (tmp_path / "caraway.toml").write_text("[client]\ntarget='folder:1'")
    (tmp_path / "other.toml").write_text("[client]\ntarget='other:1'")
    assert find_file().table("client")["target"] == "folder:1"
    monkeypatch.setenv("CARAWAY_CONFIG", str(tmp_path / "other.toml"))
    assert find_file().table("client")["target"] == "other:1"
    assert find_file("caraway.toml").table("client")["target"] == "folder:1"
    with pytest.raises(InvalidSettings, match=r"gone\.toml: it can't be read: No such file"):
        find_file("gone.toml")


# Apps


def test_an_app_that_is_told_no_target_takes_it_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CARAWAY_TARGET", raising=False)
    assert Caraway("a").target == "localhost:50051"
    assert Caraway("a", broker="grpc://code:1").target == "grpc://code:1"
    (tmp_path / "caraway.toml").write_text("[client]\ntarget='folder:1'")
    assert Caraway("a", broker="grpc://code:1").target == "folder:1"
    assert Caraway("a").target == "folder:1"
    monkeypatch.setenv("CARAWAY_TARGET", "environment:1")
    assert Caraway("a").target == "environment:1"
    assert Caraway("a", changes={"broker_url": "grpc://code:1"}).target == "environment:1"
    assert Caraway("a", target="own:1").target == "own:1"
    # A program's environment is its own: only commands are strict about it.
    monkeypatch.setenv("CARAWAY_OF_ITS_OWN", "1")
    assert Caraway("a").target == "environment:1"


def test_an_app_s_settings_that_are_wrong_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "caraway.toml").write_text("[client]\ntraget='folder:1'")
    with pytest.raises(ImproperlyConfigured, match="did you mean target"):
        _ = Caraway("a").target


def test_settings_need_neither_click_nor_grpc() -> None:
    program = "import sys, caraway.settings; print({'click', 'grpc'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "set()\n"

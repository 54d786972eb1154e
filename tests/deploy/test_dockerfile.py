"""Dockerfile and .dockerignore against the checkout, pyproject.toml and docker-compose.yml."""

import json
import subprocess
import tomllib

from deploy.caraway_command import parse
from deploy.composition import CHECKOUT, IMAGE_COMMAND, command
from deploy.source import variables_read


def instructions() -> list[tuple[str, str]]:
    """Each with its arguments."""
    lines = (CHECKOUT / "Dockerfile").read_text().splitlines()
    split = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(name, arguments) for name, arguments in split]


def arguments_of(wanted: str) -> list[str]:
    """Of every instruction of this name."""
    return [arguments for name, arguments in instructions() if name == wanted]


def copied() -> dict[str, str]:
    """Where each copied path of the checkout lies in the image, below its working directory."""
    found = {}
    for arguments in arguments_of("COPY"):
        *sources, target = arguments.split()
        found.update(dict.fromkeys(sources, target))
    return found


def test_every_copied_path_is_in_the_repository() -> None:
    known = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    for source in copied():
        assert any(path == source or path.startswith(f"{source}/") for path in known), source


def test_the_builder_is_sent_what_is_copied() -> None:
    first, *lines = (
        line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    )
    assert first == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())


def test_every_path_stays_where_it_was() -> None:
    """The demo looks for documents beside examples/, and pyproject.toml names its sources."""
    for source, target in copied().items():
        assert target == ("./" if "." in source or source == "LICENSE" else source)


def test_the_package_is_built_from_what_is_copied_before() -> None:
    names = [name for name, _ in instructions()]
    before = [
        path
        for name, arguments in instructions()[: names.index("RUN")]
        if name == "COPY"
        for path in arguments.split()[:-1]
    ]
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {package.rpartition("/")[0] for package in wheel} <= set(before)
    assert {"pyproject.toml", project["project"]["readme"]} <= set(before)
    install = arguments_of("RUN")[0]
    extras = install[install.index("[") + 1 : install.index("]")].split(",")
    assert set(extras) == {"server", "worker"} <= set(project["project"]["optional-dependencies"])


def test_python_is_new_enough() -> None:
    (image,) = arguments_of("FROM")
    version = image.removeprefix("python:").partition("-")[0]
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, oldest.split(".")))


def test_commands_and_ports() -> None:
    assert [json.loads(arguments) for arguments in arguments_of("ENTRYPOINT")] == [IMAGE_COMMAND]
    _, server = parse(command("gateway")[1:])
    assert arguments_of("EXPOSE") == [server["listen"].rpartition(":")[2]]


def test_every_variable_is_read() -> None:
    variables = dict(arguments.split("=", 1) for arguments in arguments_of("ENV"))
    assert set(variables) <= variables_read()
    workdir = arguments_of("WORKDIR")[0]
    assert variables["PYTHONPATH"] == f"{workdir}/examples"


def test_it_runs_as_a_user_who_owns_where_a_store_is_kept() -> None:
    """A gateway without --redis keeps its store below the folder in which it is started."""
    (user,), (volume,) = arguments_of("USER"), arguments_of("VOLUME")
    made = arguments_of("RUN")[-1]
    assert f"useradd --system --uid 10001 {user}" in made
    assert f"install -d -o {user} {volume}" in made
    assert arguments_of("WORKDIR")[-1] == volume

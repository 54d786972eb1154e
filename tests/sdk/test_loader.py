"""-A finds an app as Celery's does."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caraway.exceptions import AppNotFound
from caraway.loader import find_app

APP = "from caraway import Caraway\n{} = Caraway('{}')\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Writes modules into a working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)

    def write(name: str, text: str = "", attribute: str = "app", main: str = "found") -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or APP.format(attribute, main))

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"one.py": "app"}, "one"),
        ({"one.py": "caraway"}, "one"),
        ({"one.py": "celery"}, "one"),
        ({"one.py": "anything"}, "one"),
        ({"one.py": "anything"}, "one:anything"),
        ({"one.py": "anything"}, "one.anything"),
        ({"pack/__init__.py": "", "pack/caraway.py": "app"}, "pack"),
        ({"pack/__init__.py": "", "pack/celery.py": "app"}, "pack"),
        ({"pack/__init__.py": "", "pack/celery.py": "whatever"}, "pack"),
        ({"pack/__init__.py": "", "pack/celery.py": "app"}, "pack.celery"),
        ({"pack/__init__.py": "", "pack/caraway.py": "own"}, "pack.caraway:own"),
        ({"pack/__init__.py": "", "pack/deep/__init__.py": "", "pack/deep/jobs.py": "app"}, "pack.deep.jobs"),
        ({"pack/__init__.py": "", "pack/deep/__init__.py": "", "pack/deep/jobs.py": "own"}, "pack.deep.jobs.own"),
    ],
)
def test_an_app_is_found(write: Callable[..., None], files: dict[str, str], name: str) -> None:
    for file, attribute in files.items():
        write(file, "" if attribute else "\n", attribute)
    assert find_app(name).main == "found"


def test_the_attribute_app_goes_before_others(write: Callable[..., None]) -> None:
    write(
        "one.py",
        "from caraway import Caraway\nfirst = Caraway('first')\ncelery = Caraway('celery')\napp = Caraway('app')",
    )
    assert find_app("one").main == "app"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "there is no module 'missing'"),
        ("missing:app", "there is no module 'missing'"),
        ("missing.app", "there is no module 'missing.app'"),
        ("empty", "empty holds no Caraway app"),
        ("empty:app", "empty has no attribute 'app'"),
        ("empty.app", "empty has no attribute 'app'"),
        ("empty:number", "is a int, not a Caraway app"),
        (":app", "names no module"),
        ("", "names no module"),
    ],
)
def test_what_is_not_found_is_said(write: Callable[..., None], name: str, words: str) -> None:
    write("empty.py", "number = 1")
    with pytest.raises(AppNotFound, match=words):
        find_app(name)


@pytest.mark.parametrize("name", ["broken", "broken:app", "pack", "pack.tasks"])
def test_an_error_inside_the_module_is_the_module_s_own(write: Callable[..., None], name: str) -> None:
    write("broken.py", "import module_that_is_not_there")
    write("pack/__init__.py", "import module_that_is_not_there")
    with pytest.raises(ModuleNotFoundError, match="module_that_is_not_there"):
        find_app(name)

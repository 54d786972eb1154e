"""What the pages name of the checkout and of the command line is there."""

import ast
import re

import pytest

from support.commands import options_at
from support.pages import CHECKOUT, Page

DOCS = CHECKOUT / "docs"
PAGES = [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob("*.md"))]
PATH = re.compile(r"`((?:tests|benchmarks|examples|deploy|proto|docs)/[\w./@-]+)`")
COMMAND = re.compile(r"(?:^|[`$|] *)caraway ([^`|\n]+)", re.MULTILINE)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(f"docs/{request.param}")


def test_files_that_are_named_exist(page: Page) -> None:
    named = [path.rstrip(".") for path in PATH.findall(page.text)]
    # Another page is named from where the reader stands: the checkout.
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_commands_that_are_named_exist(page: Page) -> None:
    missing = []
    for line in COMMAND.findall(page.text.replace("\\\n", " ")):
        words = line.split(" # ")[0].split()
        path: list[str] = []
        for word in words:
            if not re.fullmatch(r"[a-z][a-z_-]*", word) or not _is_command([*path, word]):
                break
            path.append(word)
        options = [word for word in words if re.match(r"--?[a-zA-Z]", word)]
        if "--" in words:  # what follows is another command's
            options = [word for word in words[: words.index("--")] if word in options]
        known = {"--help", "-h", "--version", *options_at(path)}
        missing += [f"{line}: {option}" for option in options if option.rstrip("`,;.)]").split("=")[0] not in known]
        if not path and words[0] != "COMMAND" and not words[0].startswith("-"):
            missing.append(line)
    assert missing == []


def _is_command(words: list[str]) -> bool:
    try:
        options_at(words)
    except LookupError:
        return False
    return True


def test_python_is_python(page: Page) -> None:
    for block in page.blocks("python"):
        ast.parse(block)

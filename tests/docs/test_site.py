"""The site of the pages is built strictly: a link that leads nowhere, or a page that nothing leads to, fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.pages import CHECKOUT


def build(docs: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        str(docs / "site/mkdocs.yml"),
        "-d",
        str(site),
    ]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        command, env=env, text=True, timeout=100, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_the_site_is_built(tmp_path: Path) -> None:
    ended = build(CHECKOUT / "docs", tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert (tmp_path / "start/index.html").exists()


@pytest.mark.parametrize(
    ("page", "text"),
    [("start.md", "[gone](gone.md)"), ("start.md", "[gone](tasks.md#gone)"), ("alone.md", "Nothing leads here.")],
    ids=["link", "anchor", "page"],
)
def test_what_leads_nowhere_is_refused(tmp_path: Path, page: str, text: str) -> None:
    docs = shutil.copytree(CHECKOUT / "docs", tmp_path / "docs")
    with (docs / page).open("a") as file:
        file.write(f"\n{text}\n")
    ended = build(docs, tmp_path / "site")
    assert ended.returncode != 0
    assert "gone" in ended.stdout or "alone.md" in ended.stdout

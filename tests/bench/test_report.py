"""What `make bench` writes from what it measured: tables, a chart, results that can be read again."""

import json
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from benchmarks import report
from benchmarks.chart import chart
from benchmarks.comparison import COLUMNS, Line, verdicts
from benchmarks.install import FOLDER, NotInstalled, go_program
from benchmarks.rivals import RIVALS

SVG = "{http://www.w3.org/2000/svg}"


def line(system: str, factor: float) -> Line:
    """A system that is `factor` times as good as Caraway in all."""
    return Line(system, "1.0", "a | pipe", {c.key: (factor, 100 * factor, 1000 * factor) for c in COLUMNS})


CARAWAY, WORSE, BETTER = line("Caraway", 1.0), line("Slow", 0.5), line("Fast", 2.0)
MISSING = Line("Gone", absent="it is in no registry")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what is stored, to be written over."""
    for name in ("README.md", "results.json"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def test_the_stored_comparison_gives_the_stored_table_and_chart() -> None:
    lines = report.stored_comparison()
    assert report.comparison_table(lines) in (FOLDER / "README.md").read_text()
    said = json.loads((FOLDER / "results.json").read_text())["comparison"]["conditions"]
    assert chart(lines, said) == (FOLDER / "comparison.svg").read_text()
    assert "cores" in said
    assert {entry.system for entry in lines} >= {rival.title for rival in RIVALS} | {"Faktory"}


def test_a_chart_has_a_bar_for_each_system_in_each_panel() -> None:
    root = ET.fromstring(chart([CARAWAY, WORSE, MISSING, BETTER], "today & here"))
    panels = root.findall(f"{SVG}g")
    assert len(panels) == len(COLUMNS)
    for column, panel in zip(COLUMNS, panels, strict=True):
        texts = [text.text for text in panel.findall(f"{SVG}text")]
        assert texts[0] == column.title
        systems = [text for text in texts if text in ("Caraway", "Slow", "Fast", "Gone")]
        assert systems == (["Fast", "Caraway", "Slow"] if column.more_is_better else ["Slow", "Caraway", "Fast"])
        widths = [float(bar.attrib["width"]) for bar in panel.findall(f"{SVG}rect")]
        assert max(widths) == pytest.approx(4 * min(widths))
    assert [text.text for text in root.findall(f"{SVG}text")] == ["today & here"]


def test_a_table_names_what_could_not_be_measured_and_who_is_better() -> None:
    table = report.comparison_table([CARAWAY, WORSE, MISSING])
    assert "| Gone |  | - | - | - | - | - | - | not measured: it is in no registry |" in table
    assert "| Caraway | 1.0 | 100 | 100 | 100 | 100 | 100 | 100 | a \\| pipe |" in table
    assert "| A3.8 | drain, AOF always, against Slow | 2.00 | above 1 | yes |" in table
    assert all(verdict.met for verdict in verdicts([CARAWAY, WORSE]))
    fallen_short = verdicts([CARAWAY, WORSE, BETTER])
    assert [(verdict.best, verdict.met) for verdict in fallen_short] == [("Fast", False)] * 3


def test_what_is_written_can_be_read_and_leaves_the_rest(folder: Path) -> None:
    before = json.loads((folder / "results.json").read_text())
    report.write_comparison([CARAWAY, MISSING, WORSE], folder)
    assert report.stored_comparison(folder) == [CARAWAY, MISSING, WORSE]
    after = json.loads((folder / "results.json").read_text())
    assert after["figures"] == before["figures"]
    readme = (folder / "README.md").read_text()
    assert report.comparison_table([CARAWAY, MISSING, WORSE]) in readme
    assert readme.partition("<!-- comparison")[0] == (FOLDER / "README.md").read_text().partition("<!-- comparison")[0]
    report.write("languages", [], folder)
    assert report.stored_comparison(folder) == [CARAWAY, MISSING, WORSE]
    written = json.loads((folder / "results.json").read_text())
    assert written["languages"]["figures"] == []
    assert written["figures"] == before["figures"]


def test_a_readme_without_its_marks_is_not_written(folder: Path) -> None:
    (folder / "README.md").write_text("no marks")
    with pytest.raises(SystemExit, match="has no lines"):
        report.write("figures", [], folder)
    assert (folder / "README.md").read_text() == "no marks"


def test_a_system_whose_tools_are_missing_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(NotInstalled, match="there is no go on this machine"):
        go_program("asynq")


@pytest.mark.parametrize("title", [rival.title for rival in RIVALS])
def test_a_version_is_pinned(title: str) -> None:
    version = next(rival.version for rival in RIVALS if rival.title == title)
    assert version.count(".") >= 2

"""`caraway token`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from caraway.cli import main
from caraway_server.core.tokens import Identity, Tokens


def test_it_shows_a_token_and_its_line() -> None:
    ended = CliRunner().invoke(main, ["token", "ci"])
    assert ended.exit_code == 0, ended.output
    token, line = (text.strip() for text in ended.stdout.splitlines() if text.startswith("  "))
    assert Tokens.parse(line).identity_of(token) == Identity("ci")


@pytest.mark.parametrize("there", [None, "# ours\n", "# ours"])
def test_it_appends_a_line_and_writes_the_token_alone(tmp_path: Path, there: str | None) -> None:
    file = tmp_path / "tokens"
    if there is not None:
        file.write_text(there)
    made = [CliRunner().invoke(main, ["token", name, "--append", str(file)]).stdout.strip() for name in ("a", "b")]
    tokens = Tokens.parse(file.read_text())
    assert [tokens.identity_of(token) for token in made] == [Identity("a"), Identity("b")]
    assert len(tokens.identities) == 2
    if there is None:
        assert file.stat().st_mode & 0o077 == 0


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["token", "two words", "--append", str(tmp_path / "tokens")])
    assert (ended.exit_code, "is no name" in ended.output) == (2, True)
    assert not (tmp_path / "tokens").exists()
    ended = CliRunner().invoke(main, ["token", "ci", "--append", str(tmp_path / "gone" / "tokens")])
    assert (ended.exit_code, "can't be written" in ended.output) == (1, True)

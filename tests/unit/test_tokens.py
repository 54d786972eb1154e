"""The file of tokens: what a line is, and whose a token is."""

import pytest

from caraway_server.core.tokens import BadTokens, Identity, Tokens, check_name, line_of, new_token

HASH = "sha256:" + 64 * "0"


def test_a_token_is_known_by_its_line() -> None:
    first, second, third = new_token(), new_token(), new_token()
    text = f"# ours\n\n{line_of('ci', first)}\n  {line_of('team/worker@eu', second)}  \n{line_of('ci', third)}"
    tokens = Tokens.parse(text)
    assert tokens.identity_of(first) == tokens.identity_of(third) == Identity("ci")
    assert tokens.identity_of(second) == Identity("team/worker@eu")
    assert tokens.identity_of(new_token()) is None
    assert tokens.identity_of("") is None
    assert first not in text


def test_tokens_are_long_and_new_each_time() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) == 43  # 256 bits


@pytest.mark.parametrize(
    "line",
    [
        "ci",
        HASH,
        f"ci {HASH} admin",
        f"ci {HASH}0",
        f"ci {HASH[:-1]}",
        f"ci {HASH.upper()}",
        "ci md5:00",
        f"-ci {HASH}",
    ],
)
def test_a_wrong_line_is_named_and_not_repeated(line: str) -> None:
    with pytest.raises(BadTokens, match=r"^line 2: write NAME sha256:HEX") as caught:
        Tokens.parse(f"fine {HASH}\n{line}\n")
    assert "ci" not in str(caught.value).replace("caraway", "")


@pytest.mark.parametrize("text", ["", "\n", "# ci\n"])
def test_a_file_without_a_token_is_wrong(text: str) -> None:
    with pytest.raises(BadTokens, match="there is no token in it"):
        Tokens.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "#ci", "ü", 65 * "n"])
def test_a_name_has_its_form(name: str) -> None:
    with pytest.raises(BadTokens, match="is no name"):
        check_name(name)

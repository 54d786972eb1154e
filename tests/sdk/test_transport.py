"""Targets, tokens and files of TLS, before anything is called."""

import os
from pathlib import Path

import pytest

from caraway.exceptions import ImproperlyConfigured
from caraway.settings import ClientSettings, Credentials, InvalidSettings
from caraway.tls_advice import tls_advice
from caraway.transport import Transport

A_PATH = Path("somewhere")


@pytest.mark.parametrize(
    ("target", "address", "secure"),
    [
        ("host:1", "host:1", False),
        ("grpc://host:1", "host:1", False),
        ("grpcs://host:1", "host:1", True),
        ("dns:///host:1", "dns:///host:1", False),
        ("unix:/socket", "unix:/socket", False),
    ],
)
def test_targets(target: str, address: str, secure: bool) -> None:
    transport = Transport(target)
    assert (transport.address, transport.secure) == (address, secure)


@pytest.mark.parametrize(
    "credentials",
    [Credentials(tls_ca=A_PATH), Credentials(tls_cert=A_PATH, tls_key=A_PATH), Credentials(tls_server_name="a")],
)
def test_what_is_about_tls_means_tls(credentials: Credentials) -> None:
    assert Transport("host:1", credentials).secure
    with pytest.raises(ImproperlyConfigured, match="write grpcs://"):
        Transport("grpc://host:1", credentials)


@pytest.mark.parametrize("target", ["http://host:1", "https://host"])
def test_a_web_address_is_no_target(target: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="write HOST:PORT"):
        Transport(target)


def test_a_token_goes_with_each_call() -> None:
    assert Transport("host:1").metadata() is None
    assert Transport("host:1", Credentials(token="abc")).metadata() == (("authorization", "Bearer abc"),)


def test_a_token_s_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    transport = Transport("host:1", Credentials(token=f"@{file}"))
    with pytest.raises(InvalidSettings, match="can't be read"):
        transport.metadata()
    file.write_text("first\n")
    assert transport.metadata() == (("authorization", "Bearer first"),)
    for broken in ("", "two words", None):
        file.unlink() if broken is None else file.write_text(broken)
        assert transport.metadata() == (("authorization", "Bearer first"),), "it may be being replaced"
    (tmp_path / "new").write_text("second")
    os.replace(tmp_path / "new", file)
    assert transport.metadata() == (("authorization", "Bearer second"),)


@pytest.mark.parametrize("text", ["", " ", "two words", "ü"])
def test_a_file_without_a_token_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(InvalidSettings, match="a token and nothing else"):
        Transport("host:1", Credentials(token=f"@{tmp_path / 'token'}")).metadata()


def test_settings_that_do_not_fit_are_said_without_the_token() -> None:
    with pytest.raises(InvalidSettings) as caught:
        ClientSettings(token="two words", tls_cert=A_PATH)
    assert [problem.name for problem in caught.value.problems] == ["tls_key", "token"]
    assert "two words" not in str(caught.value)
    assert "secret" not in repr(ClientSettings(token="secret"))


def test_advice_is_for_what_tls_may_be_the_reason_of() -> None:
    assert "--tls-ca" in tls_advice("Tls handshake failed (TSI_PROTOCOL_FAILURE)")
    assert "grpcs://" in tls_advice("Socket closed")
    assert tls_advice("Connection refused") == ""

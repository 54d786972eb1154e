"""The gateway's settings: everything is checked at once, and each complaint names its setting."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from caraway.settings import InvalidSettings
from caraway_server.cli import server
from caraway_server.settings import Settings

SECOND = timedelta(seconds=1)
A_PATH = Path("somewhere")

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("listen", {"listen": "nowhere"}),
    ("listen", {"listen": ":50051"}),
    ("listen", {"listen": "127.0.0.1:70000"}),
    ("listen", {"listen": "127.0.0.1:http"}),
    ("listen", {"listen": "0.0.0.0:50051"}),
    ("listen", {"listen": "[::]:50051"}),
    ("listen", {"listen": "example.org:50051"}),
    ("listen", {"listen": "0.0.0.0:50051", "tls_cert": A_PATH, "tls_key": A_PATH}),
    ("listen", {"listen": "0.0.0.0:50051", "tokens": A_PATH}),
    ("tls_key", {"tls_cert": A_PATH}),
    ("tls_cert", {"tls_key": A_PATH}),
    ("tls_client_ca", {"tls_client_ca": A_PATH}),
    ("processes", {"processes": 0}),
    ("lease", {"lease": 0.5 * SECOND, "heartbeat": 0.1 * SECOND}),
    ("heartbeat", {"heartbeat": 10 * SECOND}),
    ("heartbeat", {"heartbeat": 0.01 * SECOND}),
    ("result_ttl", {"result_ttl": 0 * SECOND}),
    ("max_payload_bytes", {"max_payload_bytes": 0}),
    ("max_payload_bytes", {"max_payload_bytes": 4 << 20}),
    ("max_queue_length", {"max_queue_length": 0}),
    ("max_lost", {"max_lost": 0}),
    ("dedup_window", {"dedup_window": 59 * SECOND}),
]


def test_the_defaults_are_fine() -> None:
    assert Settings().host == "127.0.0.1"


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_complaint_names_its_setting(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings(**wrong)
    assert [problem.name for problem in caught.value.problems] == [name]


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings(listen="0.0.0.0:1", processes=0, max_lost=0)
    assert [problem.name for problem in caught.value.problems] == ["listen", "processes", "max_lost"]


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.9.9:50051", "localhost:1", "[::1]:50051"])
def test_loopback_needs_no_leave(address: str) -> None:
    assert Settings(listen=address).listen == address


def test_beyond_loopback_only_with_leave() -> None:
    assert Settings(listen="0.0.0.0:50051", insecure=True).unprotected == "TLS and no file of tokens"
    partly = Settings(listen="0.0.0.0:50051", insecure=True, tokens=A_PATH)
    assert partly.unprotected == "TLS"


def test_beyond_loopback_with_tls_and_tokens() -> None:
    protected = Settings(listen="0.0.0.0:50051", tls_cert=A_PATH, tls_key=A_PATH, tokens=A_PATH)
    assert protected.unprotected == ""


def test_the_command_refuses_to_listen_beyond_this_machine() -> None:
    result = CliRunner().invoke(server, ["--listen", "0.0.0.0:1"])
    assert result.exit_code == 2
    assert "--insecure" in result.output
    assert "reaches beyond this machine" in result.output


@pytest.mark.parametrize("text", ["soon", "nan", "1e400"])
def test_the_command_names_a_duration_that_is_none(text: str) -> None:
    result = CliRunner().invoke(server, ["--lease", text])
    assert result.exit_code == 2
    assert "--lease" in result.output


def test_what_the_store_is_told() -> None:
    limits = Settings(lease=6 * SECOND, heartbeat=2 * SECOND, result_ttl=60 * SECOND, max_lost=2).limits
    assert (limits.lease, limits.reaper_gap, limits.result_ttl) == (6_000_000, 2_000_000, 60_000_000)
    assert (limits.max_lost, limits.dedup_window) == (2, 600_000_000)

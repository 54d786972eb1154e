"""The gateway's settings: everything is checked at once, and each complaint names its flag."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from caraway_server.cli import server
from caraway_server.settings import InvalidSettings, Settings

SECOND = timedelta(seconds=1)

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("--listen", {"listen": "nowhere"}),
    ("--listen", {"listen": ":50051"}),
    ("--listen", {"listen": "127.0.0.1:70000"}),
    ("--listen", {"listen": "127.0.0.1:http"}),
    ("--listen", {"listen": "0.0.0.0:50051"}),
    ("--listen", {"listen": "[::]:50051"}),
    ("--listen", {"listen": "example.org:50051"}),
    ("--processes", {"processes": 0}),
    ("--fsync", {"fsync": "sometimes"}),
    ("--lease", {"lease": 0.5 * SECOND, "heartbeat": 0.1 * SECOND}),
    ("--heartbeat", {"heartbeat": 10 * SECOND}),
    ("--heartbeat", {"heartbeat": 0.01 * SECOND}),
    ("--result-ttl", {"result_ttl": 0 * SECOND}),
    ("--max-payload", {"max_payload_bytes": 0}),
    ("--max-payload", {"max_payload_bytes": 4 << 20}),
    ("--max-queue-length", {"max_queue_length": 0}),
    ("--max-lost", {"max_lost": 0}),
    ("--dedup-window", {"dedup_window": 59 * SECOND}),
]


def test_the_defaults_are_fine() -> None:
    assert Settings().host == "127.0.0.1"


@pytest.mark.parametrize(("flag", "wrong"), WRONG)
def test_a_complaint_names_its_flag(flag: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings(**wrong)
    assert str(caught.value).startswith(flag + " ")
    assert ";" not in str(caught.value), "one thing is wrong, so one thing is said"


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings(listen="0.0.0.0:1", processes=0, fsync="", max_lost=0)
    assert [text.split()[0] for text in str(caught.value).split("; ")] == [
        "--listen", "--processes", "--fsync", "--max-lost",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.9.9:50051", "localhost:1", "[::1]:50051"])
def test_loopback_needs_no_leave(address: str) -> None:
    assert Settings(listen=address).listen == address


def test_beyond_loopback_only_with_leave() -> None:
    assert Settings(listen="0.0.0.0:50051", insecure=True).host == "0.0.0.0"


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

"""`caraway doctor`, on a live store whose indexes were damaged by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
import redis
from click.testing import CliRunner

from caraway.cli import main
from caraway_server.store import keys
from support.gateway import GatewayProcess
from support.stores import StoreProcess


@pytest.fixture
def live(gateways: Callable[..., GatewayProcess]) -> GatewayProcess:
    """A gateway with a task that waits, and one that waits for later."""
    gateway = gateways()
    for words in (("--task-id", "a"), ("--task-id", "b", "--countdown", "600")):
        ended = CliRunner().invoke(main, ["call", "some.task", "--target", gateway.target, *words])
        assert ended.exit_code == 0, ended.output
    return gateway


def doctor(where: str, *words: str) -> click.testing.Result:
    """Runs it on the store at this URL."""
    ended = CliRunner().invoke(main, ["doctor", "--redis", where, *words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended


def told(ended: click.testing.Result) -> list[dict[str, Any]]:
    """What it said with --json."""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_sound_store_of_a_running_gateway(live: GatewayProcess) -> None:
    ended = CliRunner().invoke(main, ["doctor", "--data-dir", str(live.data_dir), "--json"])
    assert ended.exit_code == 0
    remarks = told(ended)
    assert {remark["level"] for remark in remarks} == {"ok"}
    texts = "\n".join(remark["text"] for remark in remarks)
    for words in ("maxmemory-policy noeviction", "on disk", "gateways make their rounds", "every index agrees"):
        assert words in texts


def test_what_is_wrong_is_told_repaired_and_then_right(live: GatewayProcess) -> None:
    with redis.Redis.from_url(live.redis_url) as client:
        client.zrem(keys.lane("default", "some.task"), "a")
        client.zadd(keys.LEASES, {"nobody": 1e18})
        client.hincrby(keys.DEPTH, "default", 5)
        ended = doctor(live.redis_url)
        assert ended.exit_code == 1
        assert "error     lane:default:some.task lacks task a: caraway doctor --repair puts it right" in ended.stdout
        assert "leases holds task nobody, whose record says otherwise" in ended.stdout
        repaired = doctor(live.redis_url, "--repair", "--json")
        assert repaired.exit_code == 0
        assert [remark["text"] for remark in told(repaired) if remark["level"] == "repaired"] == [
            "lane:default:some.task lacks task a",
            "lanes:default lists some.task, of which there is no lane",
            "leases holds task nobody, whose record says otherwise",
        ]
        assert doctor(live.redis_url).exit_code == 0
        assert client.hget(keys.DEPTH, "default") == b"2"


def test_what_can_t_be_repaired_stays_an_error(live: GatewayProcess) -> None:
    with redis.Redis.from_url(live.redis_url) as client:
        client.hdel(keys.task("b"), "t")
        ended = doctor(live.redis_url, "--repair", "--json")
    assert ended.exit_code == 1
    (error,) = [remark for remark in told(ended) if remark["level"] == "error"]
    assert error["text"] == "task b is SCHEDULED and lacks spec"
    assert "HGETALL caraway:{0}:task:b" in error["advice"]


def test_other_programs_keys_are_no_fault(live: GatewayProcess) -> None:
    with redis.Redis.from_url(live.redis_url) as client:
        client.set("another", 1)
    ended = doctor(live.redis_url)
    assert ended.exit_code == 0
    assert "1 keys of other programs" in ended.stdout


def test_many_findings_are_told_in_part_and_with_json_in_full(live: GatewayProcess) -> None:
    with redis.Redis.from_url(live.redis_url) as client:
        client.zadd(keys.LEASES, {f"nobody-{number}": 1e18 for number in range(70)})
        assert "... and 20 more; --json tells all" in doctor(live.redis_url).stdout
        assert len([remark for remark in told(doctor(live.redis_url, "--json")) if remark["level"] == "error"]) == 70


@pytest.mark.parametrize(
    ("settings", "exit_code", "words"),
    [
        ({"maxmemory-policy": "allkeys-lru"}, 1, "error     the store's maxmemory-policy is allkeys-lru"),
        ({}, 0, "warning   it keeps nothing on disk: its crash loses everything"),
        ({"appendonly": "yes", "appendfsync": "everysec"}, 0, "warning   it writes to disk once a second"),
        ({"save": "60 1000"}, 0, "warning   a crash may lose minutes"),
        ({"maxmemory": "1mb"}, 0, "of maxmemory (1 MiB) are used"),
        ({}, 0, "warning   no gateway has made its rounds yet: start one"),
    ],
)
def test_how_the_store_is_run(
    stores: Callable[..., StoreProcess], settings: dict[str, str], exit_code: int, words: str
) -> None:
    ended = doctor(stores("valkey", **settings).url)
    assert ended.exit_code == exit_code
    assert words in ended.stdout


def test_a_clock_that_tests_have_turned_is_an_error(stores: Callable[..., StoreProcess]) -> None:
    store = stores()
    with redis.Redis.from_url(store.url) as client:
        client.set(keys.CLOCK, 60_000_000)
    ended = doctor(store.url)
    assert ended.exit_code == 1
    assert "the store's clock is turned by 60 s" in ended.stdout


def test_no_store_is_exit_code_3(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["doctor", "--data-dir", str(tmp_path)])
    assert ended.exit_code == 3
    assert "the store can't be reached" in ended.output
    assert "start the gateway" in ended.output


def test_sentinels_that_can_t_be_reached_are_told_in_a_line_without_passwords() -> None:
    ended = doctor("sentinel://:secret@127.0.0.1:1,127.0.0.1:2/shop?sentinel_password=other")
    assert ended.exit_code == 3
    said = "Error: the store can't be reached: no sentinel names a primary of 'shop' (127.0.0.1:1, 127.0.0.1:2)"
    assert ended.output.strip() == f"{said} (see --redis)"

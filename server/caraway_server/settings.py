"""The gateway's settings: defaults first, then everything checked at once."""

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from caraway_server.store.values import Limits

MIB = 1 << 20
MAX_MESSAGE_BYTES = 4 * MIB
LARGEST_PAYLOAD_LIMIT = 3 * MIB + MIB // 2  # a task's other fields must fit into the message beside it


class InvalidSettings(ValueError):
    """One or more settings are unusable; the message names each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a gateway is started with.

    Attributes:
        listen: host and port; port 0 takes a free one.
        redis: URL of the store; empty: an embedded one in `data_dir`.
        data_dir: the embedded store's folder.
        fsync: the embedded store's: always, everysec or no.
        processes: gateway processes that share the port.
        insecure: listen beyond loopback without TLS and tokens.
        lease: how long a delivery lasts without renewal.
        heartbeat: how often workers renew.
        result_ttl: how long ended tasks are kept.
        max_payload_bytes: largest arguments and results.
        max_queue_length: tasks that may wait in one queue.
        max_batch_size: items in one request.
        max_lost: lost deliveries after which a task is quarantined.
        dedup_window: how long the id of a deleted task stays taken.
        log_level: of the standard logging levels.
    """

    listen: str = "127.0.0.1:50051"
    redis: str = ""
    data_dir: Path = field(default_factory=lambda: Path("caraway-data"))
    fsync: str = "always"
    processes: int = 1
    insecure: bool = False
    lease: timedelta = timedelta(seconds=15)
    heartbeat: timedelta = timedelta(seconds=5)
    result_ttl: timedelta = timedelta(days=1)
    max_payload_bytes: int = 3 * MIB
    max_queue_length: int = 10_000_000
    max_batch_size: int = 500
    max_lost: int = 5
    dedup_window: timedelta = timedelta(minutes=10)
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        problems = [*self._address_problems(), *self._number_problems()]
        if problems:
            raise InvalidSettings("; ".join(problems))

    def _address_problems(self) -> list[str]:
        host, port = self.host, self.listen.rpartition(":")[2]
        if not host or not port.isdecimal() or int(port) > 65535:
            return [f"--listen {self.listen!r} is not HOST:PORT"]
        if not self.insecure and not _is_loopback(host):
            return [
                f"--listen {self.listen} reaches beyond this machine, and there is no TLS and no token yet: anyone "
                "who can reach the port could run tasks. Listen on 127.0.0.1, or say --insecure in a closed network"
            ]
        return []

    def _number_problems(self) -> list[str]:
        checks = [
            (self.processes >= 1, "--processes must be at least 1"),
            (self.fsync in ("always", "everysec", "no"), "--fsync must be always, everysec or no"),
            (self.lease >= timedelta(seconds=1), "--lease must be at least 1 s"),
            (self.heartbeat * 2 <= self.lease, "--heartbeat must be at most half of --lease"),
            (self.heartbeat >= timedelta(milliseconds=100), "--heartbeat must be at least 0.1 s"),
            (self.result_ttl > timedelta(0), "--result-ttl must be above 0"),
            (1 <= self.max_payload_bytes <= LARGEST_PAYLOAD_LIMIT, f"--max-payload is 1 to {LARGEST_PAYLOAD_LIMIT}"),
            (self.max_queue_length >= 1, "--max-queue-length must be at least 1"),
            (self.max_lost >= 1, "--max-lost must be at least 1"),
            (self.dedup_window >= timedelta(minutes=1), "--dedup-window must be at least 60 s: SDKs repeat that long"),
        ]
        return [problem for fine, problem in checks if not fine]

    @property
    def host(self) -> str:
        """The host of `listen`, without the brackets of an IPv6 address."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def limits(self) -> Limits:
        """What the store holds tasks to."""
        lease = _micros(self.lease)
        return Limits(
            max_queue_length=self.max_queue_length,
            result_ttl=_micros(self.result_ttl),
            max_lost=self.max_lost,
            lease=lease,
            reaper_gap=lease // 3,
            dedup_window=_micros(self.dedup_window),
        )


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

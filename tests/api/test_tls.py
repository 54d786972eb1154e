"""TLS: who connects, who does not, and certificates that change while the gateway serves."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from api.wire import DEADLINE, Api
from caraway.v1 import admin_service_pb2
from support.certificates import Authority
from support.processes import CARAWAY, Running, eventually
from support.secured import SecuredGateway, replace

Connect = Callable[..., Api]
INFO = admin_service_pb2.GetServerInfoRequest()


@pytest.fixture
def start(short_folder: Callable[[], Path]) -> Iterator[Callable[..., SecuredGateway]]:
    """Starts gateways; they end with the test."""
    started: list[SecuredGateway] = []

    def make(**how: bool) -> SecuredGateway:
        started.append(SecuredGateway(short_folder(), **how).start())  # type: ignore[arg-type]
        return started[-1]

    yield make
    for gateway in started:
        gateway.stop()


def connects(channel: grpc.Channel) -> bool:
    """Whether a call over it is answered."""
    with channel:
        call = channel.unary_unary("/caraway.v1.AdminService/GetServerInfo")
        try:
            call(b"", timeout=DEADLINE)
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            return False
        return True


def test_who_trusts_the_gateway_connects_and_nobody_else(start: Callable[..., SecuredGateway]) -> None:
    gateway = start(tokens=False)
    assert connects(gateway.channel())
    assert not connects(gateway.channel(ca=Authority("tests").cert))
    assert not connects(grpc.insecure_channel(gateway.target))


def test_mutual_tls_serves_who_shows_a_certificate_of_the_authority(start: Callable[..., SecuredGateway]) -> None:
    gateway = start(tokens=False, mutual=True)
    assert connects(gateway.channel(client=gateway.client))
    assert not connects(gateway.channel())
    assert not connects(gateway.channel(client=Authority("tests").issue("client")))


def test_a_new_certificate_is_served_while_a_stream_lives(
    start: Callable[..., SecuredGateway], connect: Connect, queue: str
) -> None:
    gateway = start()
    old = gateway.ca.read_bytes()
    stream = connect(gateway.target, gateway.channel()).stream(queue, credit=1)
    gateway.renew()
    eventually(lambda: connects(gateway.channel()), what="the new certificate is served")
    assert not connects(gateway.channel(ca=old))
    task_id = connect(gateway.target, gateway.channel()).submit_id(queue)
    assert stream.lease().task.task_id == task_id
    assert stream.beat(1) == []


def test_who_may_connect_changes_with_the_file(start: Callable[..., SecuredGateway]) -> None:
    gateway = start(tokens=False, mutual=True)
    others = Authority("others")
    replace(gateway.ca, others.cert)
    known = gateway.authority.cert
    eventually(lambda: connects(gateway.channel(ca=known, client=others.issue("client"))), what="others may connect")
    assert not connects(gateway.channel(ca=known, client=gateway.client))


@pytest.mark.parametrize("break_it", ["a key of another certificate", "no PEM", "gone"])
def test_broken_files_change_nothing(start: Callable[..., SecuredGateway], break_it: str) -> None:
    gateway = start(tokens=False)
    if break_it == "gone":
        gateway.key.unlink()
    else:
        replace(gateway.key, Authority("x").issue("x").key if break_it != "no PEM" else b"-----")
    assert gateway.process.running is not None
    gateway.process.running.wait_for_line("the files of TLS changed and can't be used")
    assert connects(gateway.channel())
    gateway.renew()
    eventually(lambda: connects(gateway.channel()), what="it is served once it is whole")


def test_a_certificate_that_clients_will_refuse_is_told(start: Callable[..., SecuredGateway]) -> None:
    gateway = start(tokens=False, mutual=True)
    assert "refuse" not in gateway.output
    expired = gateway.authority.issue("gateway.test", expired=True)
    replace(gateway.cert, expired.cert)
    replace(gateway.key, expired.key)
    assert gateway.process.running is not None
    line = gateway.process.running.wait_for_line("clients will refuse the certificate")
    assert line.endswith(f"tls_cert = {gateway.cert}: certificate has expired")
    assert not connects(gateway.channel(client=gateway.client))


def server(*flags: str) -> tuple[int, str]:
    """A server that is to refuse to start: its exit code, and what it says."""
    ended = subprocess.run(
        [*CARAWAY, "server", "--listen", "127.0.0.1:0", *flags], capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stderr


def test_what_is_wrong_with_a_file_is_said_at_the_start(tmp_path: Path) -> None:
    cert, key = Authority("a").issue("a").write(tmp_path, "a")
    _, other = Authority("b").issue("b").write(tmp_path, "b")
    empty = tmp_path / "empty"
    empty.touch()
    tls = ("--tls-cert", str(cert), "--tls-key")
    for flags, said in (
        ((*tls, str(tmp_path / "gone")), f"tls_key = {tmp_path}/gone: it can't be read: No such file"),
        ((*tls, str(other)), "KEY_VALUES_MISMATCH"),
        ((*tls, str(key), "--tls-client-ca", str(key)), f"tls_client_ca = {key}: write a PEM file with certificates"),
        (("--tokens", str(empty)), f"tokens = {empty}: there is no token in it; `caraway token NAME` makes one"),
        (("--tls-cert", str(cert)), "tls_key (default): name it too"),
        (("--listen", "::1:50051"), "with the host in brackets where it is an IPv6 address: [::1]:PORT"),
    ):
        code, text = server(*flags)
        assert (code, said in text) == (2, True), text


def test_beyond_this_machine_with_tls_and_tokens_or_with_leave(short_folder: Callable[[], Path]) -> None:
    gateway = SecuredGateway(short_folder())
    gateway.process.target = "0.0.0.0:0"
    gateway.start()
    try:
        gateway.process.target = gateway.target.replace("0.0.0.0", "127.0.0.1")
        assert connects(gateway.channel())
        assert "reaches beyond" not in gateway.output
    finally:
        gateway.stop()
    command = [*CARAWAY, "server", "--listen", "0.0.0.0:0", "--insecure", "--data-dir", str(short_folder())]
    insecure = Running(command)
    try:
        line = insecure.wait_for_line("reaches beyond this machine")
        assert "there is no TLS and no file of tokens (--insecure)" in line
        insecure.wait_for_line("listens on")
    finally:
        insecure.stop()

"""Tokens: every method and stream asks for one, gRPC's own services too; their file is read again when it changes."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api.wire import DEADLINE, Api, refused
from caraway import v1
from caraway.v1 import admin_service_pb2
from caraway_server.core.tokens import line_of, new_token
from support.gateway import GatewayProcess
from support.processes import eventually
from support.secured import SecuredGateway, replace

Connect = Callable[..., Api]
INFO = admin_service_pb2.GetServerInfoRequest()


def all_methods() -> list[MethodDescriptor]:
    """Of every service of the contract, and of reflection."""
    names = [module.name for module in pkgutil.iter_modules(v1.__path__) if module.name.endswith("_pb2")]
    files = [importlib.import_module(f"caraway.v1.{name}").DESCRIPTOR for name in names]
    files.append(reflection_pb2.DESCRIPTOR)
    return [method for file in files for service in file.services_by_name.values() for method in service.methods]


METHODS = all_methods()


@pytest.fixture(scope="module")
def secured(short_folder: Callable[[], Path]) -> Iterator[SecuredGateway]:
    """A gateway with TLS and a token."""
    gateway = SecuredGateway(short_folder()).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def own(short_folder: Callable[[], Path]) -> Iterator[SecuredGateway]:
    """One of the test's own, whose tokens may change."""
    gateway = SecuredGateway(short_folder()).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def channel(secured: SecuredGateway) -> Iterator[grpc.Channel]:
    """A channel without a token."""
    with secured.channel("") as made:
        yield made


def call(channel: grpc.Channel, path: str, streams: tuple[bool, bool], header: str | None) -> None:
    """Makes a call of any kind with an empty message, until it ends."""
    metadata = () if header is None else (("authorization", header),)
    if streams == (True, True):
        list(channel.stream_stream(path)(iter([b""]), timeout=DEADLINE, metadata=metadata))
    elif streams == (False, True):
        list(channel.unary_stream(path)(b"", timeout=DEADLINE, metadata=metadata))
    else:
        assert streams == (False, False), "add the new kind here"
        channel.unary_unary(path)(b"", timeout=DEADLINE, metadata=metadata)


def test_there_is_a_method_of_each_kind() -> None:
    kinds = {(method.client_streaming, method.server_streaming) for method in METHODS}
    assert kinds == {(False, False), (False, True), (True, True)}
    assert len(METHODS) >= 20


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_method_asks_for_a_token(
    secured: SecuredGateway, channel: grpc.Channel, method: MethodDescriptor
) -> None:
    path = f"/{method.containing_service.full_name}/{method.name}"
    streams = (method.client_streaming, method.server_streaming)
    for header in (None, f"Bearer {new_token()}", f"Basic {secured.token}", secured.token, "Bearer", "Bearer "):
        refusal = refused(lambda header=header: call(channel, path, streams, header))  # type: ignore[misc]
        assert refusal.reason == "UNAUTHENTICATED", header
        assert secured.token not in refusal.message


def test_a_method_that_there_is_not_tells_nothing_without_a_token(channel: grpc.Channel) -> None:
    assert (
        refused(lambda: call(channel, "/caraway.v1.TaskService/No", (False, False), None)).reason == "UNAUTHENTICATED"
    )


def test_the_message_says_what_to_do(secured: SecuredGateway, connect: Connect) -> None:
    without = refused(lambda: connect(secured.target, secured.channel("")).admin.GetServerInfo(INFO))
    assert "CARAWAY_TOKEN" in without.message
    wrong = refused(lambda: connect(secured.target, secured.channel("wrong")).admin.GetServerInfo(INFO))
    assert "does not know" in wrong.message


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_a_token_opens_every_method(secured: SecuredGateway, channel: grpc.Channel, method: MethodDescriptor) -> None:
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        call(channel, path, (method.client_streaming, method.server_streaming), f"Bearer {secured.token}")
    except grpc.RpcError as error:
        # An empty message may well be refused, for another reason.
        assert isinstance(error, grpc.Call)
        assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION), error


def test_the_scheme_may_be_written_in_any_case(secured: SecuredGateway, channel: grpc.Channel) -> None:
    call(channel, "/caraway.v1.AdminService/GetServerInfo", (False, False), f"bEARER {secured.token}")


def test_a_token_opens_reflection(secured: SecuredGateway) -> None:
    with secured.channel() as channel:
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
    names = {service.name for service in answer.list_services_response.service}
    assert {"caraway.v1.TaskService", "grpc.health.v1.Health"} <= names


def test_health_is_open(secured: SecuredGateway, connect: Connect) -> None:
    api = connect(secured.target, secured.channel(""))
    eventually(api.is_serving, what="it serves")


def test_a_stream_ends_with_its_token_and_others_live(own: SecuredGateway, connect: Connect, queue: str) -> None:
    leaving = connect(own.target, own.channel(own.allow("leaving")))
    eventually(lambda: _is_known(leaving), what="a new token is taken without a restart")
    stays = connect(own.target, own.channel()).stream(queue, credit=1)
    ends = leaving.stream(queue, credit=1)
    own.remove("leaving")
    refusal = ends.refusal()  # waits for 20 s at most
    assert (refusal.reason, "taken from" in refusal.message) == ("UNAUTHENTICATED", True)
    assert refused(lambda: leaving.submit(queue)).reason == "UNAUTHENTICATED"
    assert stays.beat(1) == []


def _is_known(api: Api) -> bool:
    try:
        return bool(api.admin.GetServerInfo(INFO, timeout=DEADLINE).max_batch_size)
    except grpc.RpcError:
        return False


@pytest.mark.parametrize("broken", [b"", b"# nobody\n", b"name only\n", b"a sha256:12\n", b"a b c\n", b"\xff\n", None])
def test_a_broken_file_changes_nothing(own: SecuredGateway, connect: Connect, queue: str, broken: bytes | None) -> None:
    api = connect(own.target, own.channel())
    stream = api.stream(queue)
    if broken is None:
        own.tokens_file.unlink()
    else:
        replace(own.tokens_file, broken)
    assert own.process.running is not None
    own.process.running.wait_for_line("the tokens changed and can't be used")
    assert _is_known(api)
    assert stream.beat(1) == []
    own.tokens["second"] = new_token()
    own.allow("third")
    own.process.running.wait_for_line("the tokens changed, and are in use now")
    assert stream.beat(2) == []


def test_the_log_says_no_token(own: SecuredGateway, connect: Connect) -> None:
    refused(lambda: connect(own.target, own.channel("wrong-token")).admin.GetServerInfo(INFO))
    replace(own.tokens_file, f"pasted {own.token}\n".encode())
    assert own.process.running is not None
    line = own.process.running.wait_for_line("can't be used")
    assert "line 1" in line
    assert own.token not in own.output
    assert "wrong-token" not in own.output


def test_tokens_without_tls_on_this_machine(
    gateways: Callable[..., GatewayProcess], connect: Connect, tmp_path: Path
) -> None:
    token = new_token()
    (tmp_path / "tokens").write_text(line_of("ci", token))
    gateway = gateways("--tokens", str(tmp_path / "tokens"))
    api = connect(gateway.target)
    assert refused(lambda: api.admin.GetServerInfo(INFO)).reason == "UNAUTHENTICATED"
    assert api.admin.GetServerInfo(INFO, metadata=(("authorization", f"Bearer {token}"),)).max_batch_size

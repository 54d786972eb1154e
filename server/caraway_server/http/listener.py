"""The HTTP listener: POST /caraway.v1.SERVICE/METHOD with a JSON object, as the protos' JSON form has it."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Final

import grpc
from aiohttp import web
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from caraway_server.api.errors import status_for
from caraway_server.core.errors import Refused
from caraway_server.http.call import Caller, CallFailed, stream, unary
from caraway_server.settings import MAX_MESSAGE_BYTES

_log = logging.getLogger(__name__)

_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"
_TIMEOUT: Final = "Caraway-Timeout"
_STOP_SECONDS: Final = 5.0
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": f"Content-Type, Authorization, {_TIMEOUT}, traceparent, tracestate, baggage",
    "Access-Control-Max-Age": "3600",
}
_HTTP_STATUS: Final[Mapping[int, int]] = {
    grpc.StatusCode[name].value[0]: status
    for name, status in {
        "CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504, "NOT_FOUND": 404,
        "ALREADY_EXISTS": 409, "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 400,
        "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501, "INTERNAL": 500, "UNAVAILABLE": 503,
        "DATA_LOSS": 500, "UNAUTHENTICATED": 401,
    }.items()
}  # fmt: skip
"""As google/rpc/code.proto maps them."""


class HttpListener:
    """Serves the unary calls and the server streams of some services.

    Args:
        address: HOST:PORT; port 0 takes a free one.
        services: what there is, by the contract.
        handlers: gRPC's own, behind whoever guards them.
        interceptors: gRPC's own, too.
        origins: of browsers' pages that may call; "*": all.
        tls: None: without TLS.
        shared_port: whether other processes listen on the same port.
    """

    def __init__(
        self,
        address: str,
        services: Iterable[ServiceDescriptor],
        handlers: Iterable[grpc.GenericRpcHandler],
        *,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        origins: Iterable[str] = (),
        tls: ssl.SSLContext | None = None,
        shared_port: bool = False,
    ) -> None:
        self._address = address
        self._caller = Caller(handlers, interceptors)
        self._origins = frozenset(origins)
        self._tls = tls
        self._shared_port = shared_port
        self._methods = {
            f"/{service.full_name}/{method.name}": method for service in services for method in service.methods
        }
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listens; returns the address with its real port.

        Raises:
            OSError: it can't be listened on.
        """
        app = web.Application(client_max_size=MAX_MESSAGE_BYTES * 2, middlewares=[self._across_origins])
        app.router.add_get("/openapi.json", _openapi)
        app.router.add_route("*", "/{service}/{method}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_STOP_SECONDS)
        await self._runner.setup()
        host, _, port = self._address.rpartition(":")
        site = web.TCPSite(
            self._runner, host.strip("[]"), int(port), ssl_context=self._tls, reuse_port=self._shared_port or None
        )
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise OSError(f"--http {self._address}: {error.strerror or error}") from error
        return f"{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stops listening, and ends what is under way."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _across_origins(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        """Lets pages of the named origins call, and no others."""
        origin = request.headers.get("Origin", "")
        allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if not origin or not ({origin, "*"} & self._origins):
            allowed = {}
        request["allowed"] = allowed
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={**allowed, **_PREFLIGHT} if allowed else {})
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(allowed)
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = self._methods.get(request.path)
        if method is None:
            return _failure(
                _status("UNIMPLEMENTED", f"there is no {request.path}; /openapi.json lists what there is"), 404
            )
        if request.method != "POST":
            return _failure(_status("UNIMPLEMENTED", "calls are made by POST"), 405)
        if method.client_streaming:
            text = f"{method.name} streams both ways, by gRPC only; PollTasks and RenewLeases are its twins"
            return _failure(_status("UNIMPLEMENTED", text), 501)
        metadata = [(name.lower(), value) for name, value in request.headers.items()]
        try:
            handler = await self._caller.handler(request.path, metadata)
            message, timeout = await _read(request, method), _timeout(request)
            if method.server_streaming:
                return await _respond(request, stream(handler, message, timeout), timeout)
            async with asyncio.timeout(timeout):
                answer = await unary(handler, message, timeout)
        except Refused as error:
            return _failure(status_for(error))
        except CallFailed as failed:
            return _failure(failed.status)
        except TimeoutError:
            return _failure(_status("DEADLINE_EXCEEDED", f"{_TIMEOUT} is over"))
        return web.Response(text=_json(answer), content_type=_JSON)


async def _respond(request: web.Request, answers: AsyncIterator[Message], timeout: float | None) -> web.StreamResponse:
    """A line for each answer: {"result": ...}, and where the stream failed a last one, {"error": ...}.

    Raises:
        CallFailed: it failed before the first answer.
    """
    response = web.StreamResponse(headers={"Content-Type": _LINES, "X-Accel-Buffering": "no", **request["allowed"]})
    last = ""
    try:
        async with asyncio.timeout(timeout), contextlib.aclosing(answers):  # type: ignore[type-var]
            async for answer in answers:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(f'{{"result":{_json(answer)}}}\n'.encode())
    except CallFailed as failed:
        if not response.prepared:
            raise
        last = f'{{"error":{_json(failed.status)}}}\n'
    except TimeoutError:
        last = f'{{"error":{_json(_status("DEADLINE_EXCEEDED", f"{_TIMEOUT} is over"))}}}\n'
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof(last.encode())
    return response


async def _read(request: web.Request, method: MethodDescriptor) -> Message:
    """The request as the contract's message; an empty body is an empty message."""
    message: Message = GetMessageClass(method.input_type)()
    try:
        text = await request.text()
        if text.strip():
            json_format.Parse(text, message)
    except web.HTTPRequestEntityTooLarge as error:
        raise Refused(
            "PAYLOAD_TOO_LARGE", f"the request has more than {error.headers.get('limit', MAX_MESSAGE_BYTES * 2)} bytes",
            max_bytes=MAX_MESSAGE_BYTES * 2,
        ) from None  # fmt: skip
    except (json_format.ParseError, UnicodeDecodeError, LookupError, RecursionError) as error:
        name = method.input_type.full_name
        raise Refused("MALFORMED_MESSAGE", f"the body is no JSON of {name}: {error}") from None
    return message


def _timeout(request: web.Request) -> float | None:
    text = request.headers.get(_TIMEOUT)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:
        raise Refused("INVALID_FIELD", f"{_TIMEOUT} is a number of seconds, not {text!r}", field=_TIMEOUT)
    return seconds


async def _openapi(_request: web.Request) -> web.Response:
    text = resources.files("caraway_server.http").joinpath("openapi.json").read_text("utf-8")
    return web.Response(text=text, content_type=_JSON)


def _status(code: str, message: str) -> status_pb2.Status:
    number: int = grpc.StatusCode[code].value[0]
    return status_pb2.Status(code=number, message=message)


def _failure(status: status_pb2.Status, http_status: int = 0) -> web.Response:
    number = http_status or _HTTP_STATUS.get(status.code, 500)
    headers = {"WWW-Authenticate": "Bearer"} if number == 401 else None
    return web.Response(text=_json(status), status=number, content_type=_JSON, headers=headers)


def _json(message: Message) -> str:
    return json_format.MessageToJson(message, indent=None)

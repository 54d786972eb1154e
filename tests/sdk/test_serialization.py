"""Which serializer an app, a task and a call use, what is accepted, and a program's own serializers and types."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from caraway import Caraway, serialization
from caraway.exceptions import (
    ContentDisallowed,
    DecodeError,
    EncodeError,
    ImproperlyConfigured,
    SerializerNotInstalled,
)
from caraway.payload import DEFAULTS, decode, decode_arguments, encode
from caraway.v1 import task_pb2
from support.played import PlayedGateway

LONG = "word " * 100


def sent(played: PlayedGateway, task_id: str) -> task_pb2.Payload:
    return played.tasks[task_id].spec.payload


def an_app(played: PlayedGateway, **settings: Any) -> Caraway:
    return Caraway("proj", target=played.target, **settings)


@pytest.fixture
def shouted() -> Iterator[str]:
    """A serializer of a program's own, that writes text in capitals."""
    serialization.register("shout", lambda value: repr(value).upper(), lambda text: text.lower(), "text/x-shout")
    yield "shout"
    serialization.unregister("shout")


def test_json_is_written_unless_another_one_is_asked_for(played: PlayedGateway, app: Caraway) -> None:
    payload = sent(played, app.send_task("t", [1]).id)
    assert payload == task_pb2.Payload(json='{"args":[1],"kwargs":{}}')


def test_a_call_goes_before_its_task_and_that_before_the_app(played: PlayedGateway) -> None:
    app = an_app(played, task_serializer="msgpack", task_compression="gzip")

    @app.task(serializer="yaml", compression="zlib")
    def of_its_own(text: str) -> None: ...

    @app.task
    def plain(text: str) -> None: ...

    def form(task_id: str) -> tuple[str, list[str]]:
        payload = sent(played, task_id)
        assert decode_arguments(played.tasks[task_id].spec)[0] == (LONG,)
        return payload.content_type.rpartition("-")[2], list(payload.content_encodings)

    assert form(plain.delay(LONG).id) == ("msgpack", ["gzip"])
    assert form(app.send_task("by.name", [LONG]).id) == ("msgpack", ["gzip"])
    assert form(plain.apply_async([LONG], serializer=None, compression=None).id) == ("msgpack", ["gzip"])
    assert form(of_its_own.delay(LONG).id) == ("yaml", ["zlib"])
    assert form(of_its_own.s(LONG).delay().id) == ("yaml", ["zlib"])
    called = of_its_own.apply_async([LONG], serializer="json", compression="zstd")
    assert form(called.id) == ("application/json", ["zstd"])
    with app.batch():
        batched = plain.delay(LONG)
    assert form(batched.id) == ("msgpack", ["gzip"])
    app.close()


def test_settings_may_be_changed_on_the_app(played: PlayedGateway, app: Caraway) -> None:
    app.task_serializer = "yaml"
    app.task_compression = "bzip2"
    payload = sent(played, app.send_task("t", [LONG]).id)
    assert (payload.content_type, list(payload.content_encodings)) == ("application/x-yaml", ["bzip2"])


def test_a_pickle_is_neither_written_nor_read_unless_it_is_accepted(played: PlayedGateway, app: Caraway) -> None:
    with pytest.raises(ContentDisallowed, match=r"python-serialize is not accepted here \(json, msgpack, yaml are\)"):
        app.send_task("t", [1], serializer="pickle")
    assert not played.calls
    result = app.send_task("t")
    played.end(result.id, state=task_pb2.Task.STATE_SUCCEEDED, result=encode({1: 2}, "pickle"))
    with pytest.raises(ContentDisallowed, match=r"set accept_content to one that names 'pickle', but only where"):
        result.get(timeout=10)
    for accepted in ("pickle", "application/x-python-serialize"):
        app.accept_content = [accepted]
        assert app.AsyncResult(result.id).get(timeout=10) == {1: 2}
    called = app.send_task("t", [{1: 2}], serializer="pickle")
    assert called.args == ({1: 2},)
    played.end(called.id, state=task_pb2.Task.STATE_RUNNING, progress=encode({3: 4}, "pickle"))
    assert called.info == {3: 4}


def test_code_in_a_pickle_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(sys, "caraway_canary", lambda: ran.append("ran"), raising=False)
    payload = task_pb2.Payload(data=b"csys\ncaraway_canary\n(tR.", content_type="application/x-python-serialize")
    with pytest.raises(ContentDisallowed):
        decode(payload)
    assert not ran

    class Trusting:
        accept_content = ("pickle",)
        max_decompressed_bytes = DEFAULTS.max_decompressed_bytes

    decode(payload, Trusting())
    assert ran, "the pickle is not the weapon that this test takes it for"


def test_json_and_raw_bytes_are_always_accepted(played: PlayedGateway) -> None:
    app = an_app(played, accept_content=[])
    result = app.send_task("t", [1])
    played.end(
        result.id, state=task_pb2.Task.STATE_SUCCEEDED, result={"data": b"x", "content_type": "application/data"}
    )
    assert result.get(timeout=10) == b"x"
    with pytest.raises(ContentDisallowed, match=r"names 'yaml'$"):
        app.send_task("t", [1], serializer="yaml")
    app.close()


@pytest.mark.parametrize(
    ("options", "expected", "words"),
    [
        ({"serializer": "jsno"}, SerializerNotInstalled, "no serializer 'jsno'; there are json, msgpack, pickle, yaml"),
        ({"serializer": 1}, TypeError, "serializer is to be the name of one"),
        ({"compression": "rar"}, SerializerNotInstalled, "no compression 'rar'; there are brotli"),
        ({"compression": 9}, TypeError, "compression is to be one of"),
    ],
)
def test_wrong_names_are_refused_before_anything_is_sent(
    played: PlayedGateway, app: Caraway, options: dict[str, Any], expected: type[Exception], words: str
) -> None:
    with pytest.raises(expected, match=words):
        app.send_task("t", [1], **options)
    with pytest.raises(expected, match=words), app.batch():
        app.send_task("t", [1], **options)
    assert not played.calls


def test_accept_content_is_a_list_of_names() -> None:
    with pytest.raises(ImproperlyConfigured, match="accept_content can't be 'json': write a list of names"):
        Caraway("proj", accept_content="json")


def test_a_serializer_of_ones_own(played: PlayedGateway, app: Caraway, shouted: str) -> None:
    with pytest.raises(ContentDisallowed, match="text/x-shout is not accepted"):
        app.send_task("t", ["hey"], serializer=shouted)
    app.accept_content = ["shout"]
    payload = sent(played, app.send_task("t", ["hey"], serializer=shouted).id)
    assert payload == task_pb2.Payload(data=b"{'ARGS': ['HEY'], 'KWARGS': {}}", content_type="text/x-shout")
    assert decode(encode("Hey", shouted), app) == "'hey'"


def test_a_serializer_of_bytes() -> None:
    serialization.register("own", lambda value: bytes([value]), lambda data: data[0], "application/x-own", "binary")
    try:
        assert encode(7, "own").data == b"\x07"

        class Accepting:
            accept_content = ("own",)
            max_decompressed_bytes = 100

        assert decode(encode(7, "own"), Accepting()) == 7
        with pytest.raises(EncodeError, match="the serializer 'own' failed: TypeError"):
            encode("seven", "own")
        with pytest.raises(DecodeError, match="the serializer 'own' failed: IndexError"):
            decode(task_pb2.Payload(data=b"", content_type="application/x-own"), Accepting())
    finally:
        serialization.unregister("own")
    with pytest.raises(SerializerNotInstalled):
        encode(7, "own")


def test_names_and_content_types_are_one_serializers(shouted: str) -> None:
    def write(value: Any) -> str:
        return str(value)

    with pytest.raises(ValueError, match="'json' is one of Caraway's own"):
        serialization.register("json", write, write, "text/x-json")
    with pytest.raises(ValueError, match="'text/x-shout' of 'loud'"):
        serialization.register("loud", write, write, "text/x-shout")
    with pytest.raises(LookupError):
        serialization.register("loud", write, write, "text/x-loud", "no-such-charset")
    with pytest.raises(ValueError, match="leave it out of accept_content"):
        serialization.unregister("yaml")
    with pytest.raises(SerializerNotInstalled):
        serialization.unregister("loud")
    serialization.register(shouted, write, write, "text/x-whisper")
    assert encode("Hey", shouted) == task_pb2.Payload(data=b"Hey", content_type="text/x-whisper")


@dataclass(frozen=True)
class Point:
    x: int
    y: int


class Pixel(Point):
    pass


@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml"])
def test_a_type_of_ones_own_has_a_form_in_every_safe_format(serializer: str) -> None:
    serialization.register_type(Point, "point", lambda point: (point.x, point.y), lambda pair: Point(*pair))
    assert decode(encode([Point(1, 2), {"p": Point(3, 4)}], serializer)) == [Point(1, 2), {"p": Point(3, 4)}]
    assert decode(encode(Pixel(1, 2), serializer)) == Point(1, 2)


def test_a_type_of_ones_own_on_the_wire() -> None:
    serialization.register_type(Point, "point", lambda point: [point.x, point.y], lambda pair: Point(*pair))
    assert encode(Point(1, 2)).json == '{"$caraway":"x-point","value":[1,2]}'
    with pytest.raises(DecodeError, match='tagged "x-point" has another form'):
        decode(task_pb2.Payload(json='{"$caraway":"x-point","value":[1,2,3]}'))
    with pytest.raises(DecodeError, match="'x-line' is not known"):
        decode(task_pb2.Payload(json='{"$caraway":"x-line","value":[1,2,3]}'))


@pytest.mark.parametrize(
    ("kind", "marker", "words"),
    [(Point, "Big", "lower-case"), (Point, "", "lower-case"), (dict, "map", "has a form"), (bytes, "b", "has a form")],
)
def test_types_that_can_not_be_registered(kind: type, marker: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        serialization.register_type(kind, marker, repr, repr)


def test_a_marker_is_one_types() -> None:
    serialization.register_type(Point, "point", repr, lambda text: Point(0, 0))
    with pytest.raises(ValueError, match=r"the marker 'point' is that of .*Point"):
        serialization.register_type(Pixel, "point", repr, lambda text: Pixel(0, 0))

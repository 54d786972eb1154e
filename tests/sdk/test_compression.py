"""Compression: the contract's vectors are read, bombs are not, and it is no part of what a call is."""

import base64
import bz2
import gzip
import hashlib
import lzma
import sys
import tracemalloc
import zlib
from typing import Any

import brotli
import pytest
import zstandard

from caraway.compression import NAMES, compress, decompress
from caraway.exceptions import DecodeError, SerializerNotInstalled
from caraway.payload import DEFAULTS, decode, decode_arguments, encode, encode_arguments
from caraway.v1 import task_pb2
from sdk.values import vectors

VECTORS = vectors("encodings")
MIB = 1 << 20
TEXT = "the same words again and again; " * 100


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: vector["name"])
def test_vectors_are_read(vector: dict[str, Any]) -> None:
    payload = task_pb2.Payload(
        data=base64.b64decode(vector["base64"]),
        content_type=VECTORS["content_type"],
        content_encodings=vector["content_encodings"],
        plain_sha256=bytes.fromhex(VECTORS["plain_sha256"]),
    )
    args, kwargs = decode_arguments(task_pb2.TaskSpec(payload=payload))
    assert (args, kwargs) == (("Kümmel 茴香 🌿",) * 3, {})


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_refused_vectors_are_refused(vector: dict[str, Any]) -> None:
    payload = task_pb2.Payload(
        data=base64.b64decode(vector["base64"]),
        content_type=VECTORS["content_type"],
        content_encodings=vector["content_encodings"],
    )
    with pytest.raises(DecodeError):
        decode(payload)


def test_every_encoding_has_a_vector() -> None:
    assert {name for vector in VECTORS["values"] for name in vector["content_encodings"]} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_others_write_is_read(name: str) -> None:
    plain = TEXT.encode()
    stream = zstandard.ZstdCompressor().compressobj()  # which does not tell the size in front
    written = {
        "brotli": brotli.compress(plain),
        "bzip2": bz2.compress(plain, 1),
        "gzip": gzip.compress(plain),
        "lzma": lzma.compress(plain, preset=9),
        "zlib": zlib.compress(plain, 9),
        "zstd": stream.compress(plain) + stream.flush(),
    }
    assert decompress(name, written[name], MIB) == plain


@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_smaller_and_comes_back(name: str) -> None:
    payload = encode(TEXT, compression=name)
    assert (payload.content_type, list(payload.content_encodings)) == ("application/json", [name])
    assert len(payload.data) < len(TEXT) / 5
    assert decode(payload) == TEXT
    assert decode(encode([b"\x00" * 1000], "msgpack", name)) == [b"\x00" * 1000]


@pytest.mark.parametrize(("alias", "name"), [("bzip", "bzip2"), ("xz", "lzma"), ("zstandard", "zstd")])
def test_celerys_other_names(alias: str, name: str) -> None:
    assert list(encode(TEXT, compression=alias).content_encodings) == [name]


def test_what_would_grow_is_sent_as_it_is() -> None:
    assert encode(1, compression="gzip") == encode(1)
    assert encode(1, "msgpack", "gzip") == encode(1, "msgpack")


@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_is_refused_before_it_fills_the_memory(name: str) -> None:
    data = compress(name, bytes(200 * MIB))
    assert len(data) < MIB
    tracemalloc.start()
    with pytest.raises(DecodeError, match=r"more than 1048576 when decompressed.*max_decompressed_bytes"):
        decompress(name, data, MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MIB


@pytest.mark.parametrize("name", NAMES)
def test_the_limit_itself_is_allowed(name: str) -> None:
    data = compress(name, bytes(MIB))
    assert len(decompress(name, data, MIB)) == MIB
    with pytest.raises(DecodeError, match="max_decompressed_bytes"):
        decompress(name, data, MIB - 1)


def test_nothing_decompresses_to_nothing() -> None:
    assert all(decompress(name, compress(name, b""), 10) == b"" for name in NAMES)


def test_a_reader_has_a_limit_of_its_own() -> None:
    class Small:
        accept_content = DEFAULTS.accept_content
        max_decompressed_bytes = 100

    payload = encode(TEXT, compression="gzip")
    with pytest.raises(DecodeError, match="more than 100"):
        decode(payload, Small())


@pytest.mark.parametrize(("name", "module"), [("zstd", "zstandard"), ("brotli", "brotli")])
def test_a_missing_package_is_named(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = encode(TEXT, compression=name)
    monkeypatch.setitem(sys.modules, module, None)
    for call in (lambda: encode(TEXT, compression=name), lambda: decode(payload)):
        with pytest.raises(SerializerNotInstalled, match=rf"pip install 'caraway\[{name}\]'"):
            call()


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(SerializerNotInstalled, match=r"no compression 'rar'; there are brotli, bzip2, gzip"):
        encode(TEXT, compression="rar")
    with pytest.raises(TypeError, match="compression is to be one of"):
        encode(TEXT, compression=True)  # type: ignore[arg-type]


def test_arguments_tell_what_they_are_uncompressed() -> None:
    plain = encode_arguments((TEXT,), {})
    packed = encode_arguments((TEXT,), {}, compression="zstd")
    assert packed.plain_sha256 == hashlib.sha256(plain.json.encode()).digest()
    assert decode_arguments(task_pb2.TaskSpec(payload=packed)) == ((TEXT,), {})
    packed.plain_sha256 = bytes(32)
    with pytest.raises(DecodeError, match="plain_sha256"):
        decode_arguments(task_pb2.TaskSpec(payload=packed))

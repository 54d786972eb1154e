"""Compression of payloads, by Celery's names, which are also what `Payload.content_encodings` says."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from caraway.exceptions import DecodeError, SerializerNotInstalled
from caraway.extras import load

__all__ = ["MAX_BYTES", "NAMES", "canonical", "compress", "decompress"]

MAX_BYTES: Final = 64 * 1024 * 1024
"""How large a payload may become when it is decompressed, by default: a few kilobytes can claim to be gigabytes."""

_LZMA_MEMORY: Final = 128 * 1024 * 1024
_BROTLI_QUALITY: Final = 5  # of 11, which takes a hundred times as long for a tenth less
_ZSTD_PIECE: Final = 256  # bytes; no more than 128 KiB come out of four, so a bomb is found after a few MiB

Decompress = Callable[[bytes, int], bytes]
"""Gives what was compressed, or more than the limit of bytes that it is told, or DecodeError."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    compress: Callable[[bytes], bytes]
    decompress: Decompress


def compress(name: str, data: bytes) -> bytes:
    """Compress bytes by an encoding of NAMES or its alias. Raises SerializerNotInstalled."""
    return _ENCODINGS[canonical(name)].compress(data)


def decompress(name: str, data: bytes, max_bytes: int) -> bytes:
    """Undo `compress`. Raises DecodeError, also where more than `max_bytes` come out, and SerializerNotInstalled."""
    encoding = _ENCODINGS.get(name)
    if encoding is None:
        raise DecodeError(f"the content encoding {name!r:.50} is not known; known are {', '.join(NAMES)}")
    try:
        plain = encoding.decompress(data, max_bytes)
    except (DecodeError, SerializerNotInstalled):
        raise
    except Exception as error:
        # Each package has errors of its own.
        raise DecodeError(f"this is no {name} that can be read: {type(error).__name__}") from None
    if len(plain) > max_bytes:
        raise DecodeError(
            f"a payload of {len(data)} bytes has more than {max_bytes} when decompressed; "
            "an app that expects such sets max_decompressed_bytes"
        )
    return plain


def canonical(name: str) -> str:
    """Give the name that stands on the wire. Raises SerializerNotInstalled for one that is not known."""
    if not isinstance(name, str):
        raise TypeError(f"compression is to be one of {', '.join(NAMES)}, not a {type(name).__name__}")
    known = _ALIASES.get(name, name)
    if known not in _ENCODINGS:
        raise SerializerNotInstalled(f"there is no compression {name!r}; there are {', '.join(NAMES)}")
    return known


def _bounded(make: Callable[[], Any]) -> Decompress:
    """Use a decompressor of the standard library, which gives no more bytes than it is asked for."""

    def run(data: bytes, limit: int) -> bytes:
        stream = make()
        plain: bytes = stream.decompress(data, limit + 1)
        if len(plain) <= limit:
            _check_end(stream.eof, stream.unused_data)
        return plain

    return run


def _check_end(complete: bool, rest: bytes) -> None:
    if not complete:
        raise DecodeError("compressed data ends too early")
    if rest:
        raise DecodeError("more follows what was compressed")


def _compress_zstd(data: bytes) -> bytes:
    packed: bytes = load("zstandard", "zstandard", "zstd").ZstdCompressor().compress(data)
    return packed


def _decompress_zstd(data: bytes, limit: int) -> bytes:
    stream = load("zstandard", "zstandard", "zstd").ZstdDecompressor().decompressobj()
    parts, size = [], 0
    for start in range(0, len(data), _ZSTD_PIECE):
        part = stream.decompress(data[start : start + _ZSTD_PIECE])
        parts.append(part)
        size += len(part)
        if size > limit:
            return b"".join(parts)
        if stream.eof:
            _check_end(True, stream.unused_data or data[start + _ZSTD_PIECE :])
    _check_end(stream.eof, b"")
    return b"".join(parts)


def _compress_brotli(data: bytes) -> bytes:
    packed: bytes = load("brotli", "brotli", "brotli").compress(data, quality=_BROTLI_QUALITY)
    return packed


def _decompress_brotli(data: bytes, limit: int) -> bytes:
    stream = load("brotli", "brotli", "brotli").Decompressor()
    parts, size = [], 0
    while size <= limit and not stream.is_finished():
        part = stream.process(data, output_buffer_limit=limit + 1 - size)
        data = b""
        parts.append(part)
        size += len(part)
        if not part and not stream.is_finished():
            raise DecodeError("compressed data ends too early")
    return b"".join(parts)


_ENCODINGS: Final = {
    "brotli": _Encoding(_compress_brotli, _decompress_brotli),
    "bzip2": _Encoding(bz2.compress, _bounded(bz2.BZ2Decompressor)),
    # The time of compression is left out: the same value gives the same bytes.
    "gzip": _Encoding(lambda data: gzip.compress(data, mtime=0), _bounded(lambda: zlib.decompressobj(wbits=31))),
    "lzma": _Encoding(lzma.compress, _bounded(lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY))),
    "zlib": _Encoding(zlib.compress, _bounded(zlib.decompressobj)),
    "zstd": _Encoding(_compress_zstd, _decompress_zstd),
}
_ALIASES: Final = {"bzip": "bzip2", "xz": "lzma", "zstandard": "zstd"}

NAMES: Final = tuple(sorted(_ENCODINGS))
"""Names on the wire."""

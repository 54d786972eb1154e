"""Serialized messages as fields of larger ones, which need not be made of objects again."""

__all__ = ["field"]


def field(tag: bytes, message: bytes) -> bytes:
    """Frame a serialized message as one field of another: `tag` is its number << 3 | 2, as a varint.

    The encoding is protobuf's (length-delimited records); joined, such fields are a message.
    """
    size = len(message)
    if size < 1 << 7:
        return b"%b%c%b" % (tag, size, message)
    if size < 1 << 14:
        return b"%b%c%c%b" % (tag, size & 127 | 128, size >> 7, message)
    length = bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return b"%b%b%b" % (tag, bytes(length), message)

"""Pages: sizes, and tokens of lists that are read by offset."""

from caraway_server.api.validate import invalid

USUAL_PAGE = 50
LONGEST_OFFSET = 16  # characters of a token; the store takes no number beyond 64 bits


def page_size(asked: int, most: int) -> int:
    """The size of a page: what was asked for, or the usual.

    Raises:
        Refused: it is out of range.
    """
    if not 0 <= asked <= most:
        raise invalid("page_size", f"is {asked}; it goes from 1 to {most}")
    return asked or min(USUAL_PAGE, most)


def token_for_offset(offset: int) -> str:
    """The token of the page that begins there; opaque to callers."""
    return f"o{offset}"


def offset_from(token: str) -> int:
    """Where the page of a token begins.

    Raises:
        Refused: it is not a token.
    """
    if not token:
        return 0
    if not (token[0] == "o" and token[1:].isdecimal() and len(token) <= LONGEST_OFFSET):
        raise invalid("page_token", "is not one that this server gave")
    return int(token[1:])

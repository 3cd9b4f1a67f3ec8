"""The body of a request on the wire: by its length or in chunks, and no more of it in memory than allowed.

Guarantees: a body that is too large is read past, up to a limit, so that its sender gets to hear the refusal.
"""

from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO, Protocol

_PIECE = 65_536
_READ_PAST = 1024**3
_LINE = 1024


class TooLargeError(Exception):
    """A body over the limit."""


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end."""

    def readline(self, size: int, /) -> bytes:
        """Return a line."""


def read(stream: _Stream | BinaryIO, headers: Message, *, largest: int) -> bytes:
    """Return a body.

    Raises:
        TooLargeError: There was more of it than allowed.
        ValueError: It is not framed as HTTP frames bodies.
    """
    kept, size = [], 0
    for piece in _pieces(stream, headers):
        size += len(piece)
        if size <= largest:
            kept.append(piece)
        else:
            kept.clear()
        if size > _READ_PAST:
            break
    if size > largest:
        raise TooLargeError
    return b"".join(kept)


def _pieces(stream: _Stream | BinaryIO, headers: Message) -> Iterator[bytes]:
    coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
    if coding is None:
        yield from _counted(stream, _number(length or "0", 10))
        return
    if coding.strip().lower() != "chunked" or length is not None:
        raise ValueError("its body is neither chunked nor of one length")
    while size := _number(stream.readline(_LINE).partition(b";")[0].decode("latin-1"), 16):
        yield from _counted(stream, size)
        if stream.readline(_LINE).strip():
            raise ValueError("a chunk is longer than it says")
    while stream.readline(_LINE).strip():
        continue  # trailers say nothing that ARM reads


def _counted(stream: _Stream | BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        piece = stream.read(min(size, _PIECE))
        if not piece:
            raise ConnectionError("the client hung up in the middle of a body")
        size -= len(piece)
        yield piece


def _number(text: str, base: int) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isalnum():
        raise ValueError(f"{digits[:20]!r} is no length")
    return int(digits, base)

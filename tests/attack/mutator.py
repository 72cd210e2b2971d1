"""A seeded mutator of bytes: flips, cuts, copies, splices, and what breaks readers of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

#: Largest input made (bytes): beyond it a mutant is cut.
MAX_BYTES = 1 << 17

#: What one format or another gives a meaning, or stumbles over.
TOKENS: tuple[bytes, ...] = (
    b'"', b'""', b'"""', b"'", b"\\", b'\\"', b"\\n", b",", b";", b"\t", b"|", b"\n", b"\r",
    b"\r\n", b"\n\n", b" ", b"\0", b"\0\0\0\0", b"\x1a", b"\x1b[2J", b"\x7f", b"\x85", b"\xa0",
    b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\xbd", b"\xf4\x90",
    b"\xf0\x9f\x98\xa1", b"\xe2\x80\xa8", b"\xe2\x80\x8b", b"\xef\xbf\xbf", b"__label__",
    b"__label__1 ", b"__label__a,__label__b ", b"text", b"label", b"text,label\n", b"sep=;\n",
    b"label\ttext\n", b"{", b"}", b"[", b"]", b"{}", b"[]", b"null", b"true", b":", b'{"text":',
    b'"label":', b"\\ud83d", b"\\u0000", b"NaN", b"-Infinity", b"1e400", b"-0", b"9" * 400,
    b"0x1", b"nan", b"None", b"NULL", b"#REF!", b"1,5", b"3.0", b"5 stars", b"=1+1", b"-", b"+",
    b"@", b"PAR1", b"PK\x03\x04", b"BZh9", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd",
    b"ARROW1", b"<html>", b"ustar", b"\xd0\xcf\x11\xe0", "é".encode("latin-1"), b"<br />",
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff\x0f",
)  # fmt: skip


def mutate(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    """The content after one mutation, or up to a dozen; `others` are spliced in."""
    for _ in range(min(1 + int(draw.expovariate(0.8)), 12)):
        content = draw.choice(_MUTATIONS)(content, others, draw)
    return content[:MAX_BYTES]


def _place(content: bytes, draw: Random) -> int:
    """Anywhere; in a fifth of the cases near an end, where headers and footers are."""
    size = len(content)
    if draw.random() < 1 / 5:
        near = min(draw.randrange(64), size)
        return near if draw.random() < 0.5 else size - near
    return draw.randint(0, size)


def _part(content: bytes, draw: Random) -> tuple[int, int]:
    start = _place(content, draw)
    return start, min(len(content), start + int(draw.expovariate(1 / 20)))


def _flip(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    if not content:
        return content
    place = min(_place(content, draw), len(content) - 1)
    value = content[place] ^ (1 << draw.randrange(8))
    return content[:place] + bytes([value]) + content[place + 1 :]


def _replace_byte(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] + draw.randbytes(1) + content[place + 1 :]


def _insert_token(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] + draw.choice(TOKENS) + content[place:]


def _overwrite_with_token(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    token, place = draw.choice(TOKENS), _place(content, draw)
    return content[:place] + token + content[place + len(token) :]


def _repeat_token(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    count = draw.choice([2, 10, 100, 1000, 3000]) if draw.random() < 0.2 else draw.randint(2, 30)
    place = _place(content, draw)
    return content[:place] + draw.choice(TOKENS) * count + content[place:]


def _delete(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    start, end = _part(content, draw)
    return content[:start] + content[end:]


def _copy(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    start, end = _part(content, draw)
    place = _place(content, draw)
    return content[:place] + content[start:end] + content[place:]


def _truncate(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] if draw.random() < 0.8 else content[place:]


def _splice(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    other = draw.choice(others)
    return content[: _place(content, draw)] + other[_place(other, draw) :]


def _shuffle_lines(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    draw.shuffle(lines)
    return b"".join(lines)


def _change_line(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    at = draw.randrange(len(lines))
    kind = draw.random()
    if kind < 0.3:
        del lines[at]
    elif kind < 0.6:
        lines.insert(draw.randrange(len(lines) + 1), lines[at])
    elif kind < 0.8:
        lines[at] = lines[at].rstrip(b"\r\n")
    else:
        lines[at] *= draw.choice([2, 20, 200])
    return b"".join(lines)


def _random_bytes(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] + draw.randbytes(draw.randint(1, 40)) + content[place:]


def _random_text(content: bytes, others: Sequence[bytes], draw: Random) -> bytes:
    planes = ((0x20, 0x7F), (0xA0, 0x24F), (0x600, 0x6FF), (0x2000, 0x206F), (0x1F300, 0x1FAFF))
    first, last = draw.choice(planes)
    text = "".join(chr(draw.randint(first, last)) for _ in range(draw.randint(1, 20)))
    place = _place(content, draw)
    return content[:place] + text.encode() + content[place:]


_MUTATIONS: tuple[Callable[[bytes, Sequence[bytes], Random], bytes], ...] = (
    _flip, _flip, _replace_byte, _insert_token, _insert_token, _insert_token,
    _overwrite_with_token, _repeat_token, _delete, _delete, _copy, _truncate, _splice,
    _shuffle_lines, _change_line, _random_bytes, _random_text,
)  # fmt: skip

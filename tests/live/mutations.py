"""Real inputs, slightly or wildly wrong: the same seed gives the same ones."""

from __future__ import annotations

import json
import random
from typing import Any

WORDS = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\t", b"\r\n", b"\n", b": ", b"- ", b"{{", b"}}", b"{% if x %}",
    b"{{ steps.", b"{{ vars.", b"{{ 1/0 }}", b"{{ 'x' * 10**9 }}", b"{{ [].__class__ }}", b"&a ", b"*a",
    b"<<: *a", b"!!python/object:os.system x", b"!", b"|\n", b">-\n", b"---\n", b"...\n", b"? ", b"[", b"]",
    b"{", b"}", b'"', b"'", b"#", b"null", b"~", b"true", b"no", b"0x1F", b"1e999", b".nan", b"-.inf",
    b"9" * 400, b"2h", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"steps:", b"like: ",
    b"matrix: {a: [1, 2]}", b"kind: ", b"needs: ", b"when: ", b"target: kf", b"../../../etc/passwd",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 10**30, 1e308, "", "\0", "\ud800", "{{ x }}", "../..", "x" * 5000, [], {}, [[]],
    {"": ""}, ["a", 1, None], "a", "b",
]  # fmt: skip


def mutated(data: bytes, rng: random.Random, most: int = 4) -> bytes:
    """*data* after one to *most* changes: of bytes, of words, of lines."""
    for _ in range(rng.randint(1, most)):
        data = rng.choice((_bytes, _word, _cut, _line, _line, _indented))(data, rng)
    return data


def _bytes(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return bytes([rng.randrange(256)])
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + rng.randint(0, 1) :]


def _word(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(WORDS) + data[at + rng.choice((0, 0, 1, 5)) :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[end:] if rng.random() < 0.5 else data[start:end]


def _line(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case _:
            lines[one:one] = lines[one:other] * rng.randint(1, 3)
    return b"".join(lines)


def _indented(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    at = rng.randrange(len(lines))
    lines[at] = rng.choice((b"  ", b" ", b"\t", b"")) + lines[at].lstrip(b" ")
    return b"".join(lines)


def mutated_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON document with values of it replaced, moved, dropped or doubled; now and then with bytes changed."""
    if rng.random() < 0.25:
        return mutated(data, rng)
    tree = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        place, key = rng.choice(list(_places(tree)) or [({"": 0}, "")])
        other, another = rng.choice(list(_places(tree)) or [({"": 0}, "")])
        match rng.randrange(4):
            case 0:
                del place[key]
            case 1:
                place[key] = json.loads(json.dumps(other[another]))
            case _:
                place[key] = rng.choice(VALUES)
    return json.dumps(tree).encode()


def _places(tree: Any) -> Any:
    """Every (container, key) in *tree*."""
    pairs = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in list(pairs):
        yield tree, key
        yield from _places(value)

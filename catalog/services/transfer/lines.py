"""An exchange file, line by line: bytes to JSON values, whatever the file holds; nothing of what the values mean."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO, Final

from catalog.services.transfer.rows import Problem

LONGEST_LINE: Final = 5 * 1024 * 1024
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number, its size in bytes, and its JSON value or what is wrong with it."""

    number: int
    size: int
    value: Any = None
    problem: Problem | None = None


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The JSON values of a file, line by line; memory stays flat, whatever the file holds."""
    for number in count(1):
        data = stream.readline(LONGEST_LINE + 2)
        if not data:
            return
        size = len(data)
        if number == 1:
            if data.startswith(_UTF16):
                yield Line(number, size, problem=Problem("", "the file is UTF-16; save it as UTF-8"))
                return
            data = data.removeprefix(b"\xef\xbb\xbf")
        if len(data.rstrip(b"\r\n")) > LONGEST_LINE:
            while not data.endswith(b"\n"):
                data = stream.readline(LONGEST_LINE)
                size += len(data)
                if not data:
                    break
            yield Line(number, size, problem=Problem("", f"the line is longer than {LONGEST_LINE // 1024**2} MB"))
        elif data.strip():
            yield _line(number, size, data)


def _line(number: int, size: int, data: bytes) -> Line:
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError as broken:
        return Line(number, size, problem=Problem("", f"byte {broken.start + 1} of the line is not UTF-8"))
    if "\x00" in text:
        return Line(number, size, problem=Problem("", "the line holds NUL bytes"))
    try:
        return Line(number, size, json.loads(text, parse_constant=_refuse_constant))
    except json.JSONDecodeError as broken:
        reason = f"is no valid JSON: {broken.msg} at character {broken.pos + 1}"
        if number == 1 and text in {"[", "{"}:
            reason = "the file is one JSON value over many lines; write one object per line (JSON Lines)"
        return Line(number, size, problem=Problem("", reason))
    except RecursionError:
        return Line(number, size, problem=Problem("", "is nested too deeply"))
    except ValueError as broken:
        return Line(number, size, problem=Problem("", f"is no valid JSON: {str(broken)[:120]}"))


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)

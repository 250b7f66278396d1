"""Workbooks, read by a process of their own: a file that ends it, or asks for too much, is one refused file.

The process (workbook_reader.py) has bounds on memory and processor time. It is kept for the next workbook, since many
are small.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tanso.ingest.formats.parsers import FileRefused

_TRIES = 2  # it may be ended from outside; twice, and the file is to blame
_COMMAND = [sys.executable, "-m", "tanso.ingest.formats.workbook_reader"]


def heads(path: Path) -> list[list[list[str]]]:
    """The first rows of every sheet: texts, without blank rows. Raises FileRefused ``not_readable``."""
    found: list[list[list[str]]] = json.loads(_asked({"path": str(path), "what": "heads"})[0])
    return found


def rows(path: Path, months: Iterable[int] = ()) -> Iterator[list[str]]:
    """All rows of the first sheet that are not blank; ``months``: positions of columns of months.

    Raises FileRefused ``not_readable``.
    """
    for answer in _asked({"path": str(path), "what": "rows", "months": sorted(months)}):
        yield from json.loads(answer)


class _Died(Exception):
    """The process ended without an answer."""


class _Reader:
    """A process that reads one workbook after the other."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its last words may quote cells
            start_new_session=True,  # Ctrl-C is for us; it ends when we do
        )

    def ask(self, request: dict[str, Any]) -> list[bytes]:
        """What was asked for, as JSON. Raises FileRefused or _Died."""
        requests, replies = self._process.stdin, self._process.stdout
        assert requests and replies  # they are pipes
        try:
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
        except BrokenPipeError:
            raise _Died from None
        answers: list[bytes] = []
        for line in replies:
            if line[:1] == b"!":
                raise _refused(json.loads(line[1:]))
            if line[:1] == b".":
                return answers
            answers.append(line[1:])
        raise _Died

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_idle: list[_Reader] = []


def _asked(request: dict[str, Any]) -> list[bytes]:
    for _ in range(_TRIES):
        reader = _idle.pop() if _idle else _Reader()
        if reader.owner != os.getpid():  # of the process that we were forked from
            reader = _Reader()
        try:
            answers = reader.ask(request)
        except _Died:
            reader.end()
        except FileRefused:
            _idle.append(reader)
            raise
        except BaseException:
            reader.end()
            raise
        else:
            _idle.append(reader)
            return answers
    raise _refused("reading it takes more memory or time than a workbook may, or ends the reader")


def _refused(why: str) -> FileRefused:
    return FileRefused("not_readable", f"is no readable workbook: {why}; send the file again")


@atexit.register
def _end() -> None:
    for reader in _idle:
        if reader.owner == os.getpid():
            reader.end()

"""What a workbook would unpack to, found out before it is: a few kilobytes can ask for all memory there is.

A part that is larger than it says fails its checksum, for no more of it is read than it says. Entities are no danger:
the reader expands none. What gets past this all the same ends the reader's process alone (workbooks.py).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_MAX_PARTS = 10_000
_MAX_BYTES = 512 << 20  # all parts; a million rows of seven columns are about 300 MB
_MAX_RATIO = 200  # unpacked to packed, above _RATIO_FROM; real sheets have 5 to 30
_RATIO_FROM = 16 << 20
_MAX_CELLS = 32_000_000  # the reader makes every cell of the rectangle, also those that are not there
_WIDEST, _HIGHEST = 16_384, 1_048_576  # of any sheet, by the format
_OLD_OR_ENCRYPTED = bytes.fromhex("d0cf11e0a1b11ae1")
# Elements of any name space prefix. A part that has them is a sheet, whatever it is called.
_CELL, _ROW = rb"<(?:[\w.-]+:)?c(?=[\s/>])", rb"<(?:[\w.-]+:)?row(?=[\s/>])"
_ITS_PLACE = rb"[^>]*?\sr\s*=\s*[\"']"
_IS_SHEET = re.compile(_CELL + rb"|" + _ROW)
_COLUMN = re.compile(_CELL + _ITS_PLACE + rb"([A-Za-z]+)")
_NUMBER = re.compile(rb"<(?:[\w.-]+:)?(?:c|row)(?=[\s/>])" + _ITS_PLACE + rb"[A-Za-z]*([0-9]+)")
_LARGE_NUMBER = re.compile(_NUMBER.pattern.replace(rb"[0-9]+", rb"[0-9]{6,}"))  # of the others one is enough
_CELL_WITHOUT, _ROW_WITHOUT = (re.compile(tag + rb"(?!" + _ITS_PLACE + rb")") for tag in (_CELL, _ROW))
_ROW_TAG = re.compile(_ROW)


class Unreadable(ValueError):
    """Why a workbook is not read, in words that quote nothing of its cells."""


def check(path: Path) -> None:
    """Raises Unreadable for a file that is no workbook of today, is damaged, or is out of proportion."""
    with path.open("rb") as file:
        if file.read(len(_OLD_OR_ENCRYPTED)) == _OLD_OR_ENCRYPTED:
            raise Unreadable("it is protected by a password, or an old .xls; save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if len(parts) > _MAX_PARTS:
                raise Unreadable(f"it has {len(parts):,} parts, more than {_MAX_PARTS:,}")
            if size > _MAX_BYTES:
                raise Unreadable(f"it unpacks to {size:,} bytes, more than {_MAX_BYTES:,}")
            if size > _RATIO_FROM and size > _MAX_RATIO * path.stat().st_size:
                raise Unreadable(f"it unpacks to {size:,} bytes, more than {_MAX_RATIO} times its size")
            if "xl/workbook.xml" not in {part.filename.lower() for part in parts}:
                raise Unreadable("it has no xl/workbook.xml, so it is no .xlsx")
            for number, part in enumerate(parts, start=1):
                _check_part(archive.read(part), f"part {number}")
    except Unreadable:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise Unreadable("it is not a complete ZIP archive, as an .xlsx is") from None
    except Exception as error:  # zlib.error, lzma.LZMAError: of a damaged part
        raise Unreadable(f"a part is damaged ({type(error).__name__})") from None


def _check_part(content: bytes, name: str) -> None:
    """Cells and rows without a place of their own come after the one before."""
    if not _IS_SHEET.search(content):
        return
    width = max([0, *map(_number, set(_COLUMN.findall(content)))])
    if _CELL_WITHOUT.search(content):
        width += max(len(_CELL_WITHOUT.findall(row)) for row in _ROW_TAG.split(content))
    without = len(_ROW_WITHOUT.findall(content))
    height = without + max([99_999, *map(_row, _LARGE_NUMBER.findall(content))])
    if max(width, 1) * height > _MAX_CELLS:
        height = without + max([1, *map(_row, set(_NUMBER.findall(content)))])
    if max(width, 1) * height > _MAX_CELLS or width > _WIDEST or height > _HIGHEST:
        raise Unreadable(
            f"{name} is a sheet of {height:,} rows and {width:,} columns; delete what is outside the table"
        )


def _row(digits: bytes) -> int:
    return int(digits[:20])


def _number(letters: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters[:20].upper():
        number = 26 * number + letter - ord("A") + 1
    return number

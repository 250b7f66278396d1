"""What a workbook would unpack to, found out before it is: a few kilobytes can ask for all memory there is.

A part that is larger than it says fails its checksum, for no more of it is read than it says. Entities are no danger:
the reader expands none.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_MAX_BYTES = 512 << 20  # all parts; a million rows of seven columns are about 300 MB
_MAX_RATIO = 200  # unpacked to packed, above _RATIO_FROM; real sheets have 5 to 30
_RATIO_FROM = 16 << 20
_MAX_CELLS = 32_000_000  # the reader makes every cell of the rectangle, also those that are not there
_CHUNK, _OVERLAP = 1 << 20, 64
_COLUMN = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]+)[0-9]")
_LARGE_ROW = re.compile(rb"\br\s*=\s*[\"'][A-Za-z]*([0-9]{6,})")  # of the others one is enough


def check(path: Path) -> None:
    """Raises ValueError, saying why, for a file that is no ZIP archive, is damaged, or is out of proportion."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size > _MAX_BYTES:
                raise ValueError(f"it unpacks to {size:,} bytes, more than {_MAX_BYTES:,}")
            if size > _RATIO_FROM and size > _MAX_RATIO * path.stat().st_size:
                raise ValueError(f"it unpacks to {size:,} bytes, more than {_MAX_RATIO} times its size")
            for part in parts:
                _check_part(archive, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"{error}") from None
    except Exception as error:  # zlib.error, lzma.LZMAError: of a damaged part
        if isinstance(error, ValueError):
            raise
        raise ValueError(f"a part is damaged: {error}") from None


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    is_sheet = part.filename.lower().startswith("xl/worksheets/")
    width, height, rest = 1, 99_999, b""
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            if not is_sheet:
                continue
            text = rest + chunk
            width = max([width, *map(_number, set(_COLUMN.findall(text)))])
            height = max([height, *map(int, _LARGE_ROW.findall(text))])
            rest = text[-_OVERLAP:]
    if width * height > _MAX_CELLS:
        raise ValueError(f"{part.filename} has a cell in row {height:,}, column {width:,}; delete what lies outside")


def _number(letters: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number

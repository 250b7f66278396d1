"""What the cells of readings mean, worked out once per different text where few texts repeat."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.extracts import lake_files
from include.extracts.received import Received
from include.packs.sources import Source

_DIGITS = re.compile(r"\[0-9\]\{([0-9]+)\}")  # the commonest form of a customer number needs no regular expression


class Cells:
    """SQL on the view ``cells``: row_no and, per field, the text or (of a column with few texts) its code.

    Ask for all meanings first, then ``make`` what ``source`` selects from.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source, received: Received) -> None:
        self._con, self._fields, self._count = con, list(source.columns), received.count
        columns = self._columns = received.columns
        self._coded = {name for name, column in columns.items() if column.is_coded}
        self._meanings: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self._added: dict[str, pa.ChunkedArray] = {}

    def __call__(self, field: str, meaning: Callable[[str], str]) -> str:
        """SQL for the ``meaning`` (SQL of the SQL of a text) of the field's cell."""
        if field not in self._coded:
            return f"({meaning(f'cells.{field}')})"
        meanings = self._meanings.setdefault(field, {})
        return f"{field}_texts.{meanings.setdefault(meaning('text'), f'meaning_{len(meanings)}')}"

    def meter_no(self, field: str, pattern: str | None) -> tuple[str, str]:
        """SQL for the number in ``field`` without hyphens and spaces, and for whether it is none of ``pattern``."""
        number = "to_meter_no({})".format
        if field in self._coded or field not in self._columns:
            found = self(field, number)
        else:
            self._added["meter_no"] = self._numbers(self._columns[field].values())
            found = "cells.meter_no"
        if pattern is None:
            return found, f"{found} is null"
        digits = _DIGITS.fullmatch(pattern)
        if digits and found == "cells.meter_no":
            numbers = self._added["meter_no"]
            has_length = pc.equal(pc.binary_length(numbers), int(digits[1]))
            self._added["is_agreed"] = pc.and_(has_length, pc.ascii_is_decimal(numbers))
            return found, f"{found} is null or not cells.is_agreed"
        return found, f"{found} is null or not regexp_full_match({found}, {lake_files.sql_text(pattern)})"

    def _numbers(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """``to_meter_no``, which leaves letters and digits as they are."""
        parts = []
        for part in column.chunks:
            is_odd = pc.fill_null(pc.invert(pc.ascii_is_alnum(part)), False)
            if pc.any(is_odd).as_py():
                self._con.register("odd", pa.table({"text": part.filter(is_odd)}))
                numbers = self._con.sql("select to_meter_no(text) as number from odd").to_arrow_table()
                self._con.unregister("odd")
                part = pc.replace_with_mask(part, is_odd, numbers["number"].combine_chunks())
            parts.append(part)
        return pa.chunked_array(parts, pa.string())

    def name(self, field: str, meaning: Callable[[str], str]) -> str:
        """The same for a meaning that is a text; of few texts an ENUM of them, sorted."""
        sql = self(field, meaning)
        if field in self._coded:
            self._names[field] = sql.split(".")[1]
        return sql

    def forget(self) -> None:
        """Free what ``make`` registered."""
        self._con.unregister("cells")

    def make(self) -> str:
        """Make ``cells`` and the tables ``<field>_texts``; the FROM clause for them."""
        if not self._columns:  # of a large file
            return "raw as cells"
        table = {"row_no": pa.array(np.arange(1, self._count + 1))}
        for name in self._fields:
            column = self._columns.get(name)
            if column is None:
                table[name] = pa.nulls(self._count, pa.string())
            else:
                table[name] = column.codes() if column.is_coded else column.values()
        self._con.register("cells", pa.table(table | self._added))
        for name in self._meanings:
            self._make_texts(name)
        return "cells" + "".join(f" join {name}_texts on {name}_texts.code = cells.{name}" for name in self._meanings)

    def _make_texts(self, field: str) -> None:
        texts = self._columns[field].texts()
        meanings = ", ".join(f"{sql} as {alias}" for sql, alias in self._meanings[field].items())
        self._con.register("known", pa.table({"code": pa.array(range(len(texts)), pa.int32()), "text": texts}))
        self._con.execute(f"create table {field}_texts as select code, {meanings} from known")
        self._con.unregister("known")
        if alias := self._names.get(field):
            names = f"select distinct {alias} from {field}_texts where {alias} is not null order by all"
            if self._con.execute(names).fetchone():
                self._con.execute(f"create type {field}_names as enum ({names})")
                self._con.execute(f"alter table {field}_texts alter {alias} type {field}_names")

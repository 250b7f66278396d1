"""What the cells of readings mean, worked out once per different text where few texts repeat."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tanso import sql
from tanso.ingest.formats.received import Received
from tanso.packs.sources import Source

_DIGITS = re.compile(r"\[0-9\]\{([0-9]+)\}")  # the commonest form of a customer number needs no regular expression


class Cells:
    """SQL on the view ``cells``: row_no, the texts of each field and (of a column with few texts) what they mean.

    Ask for all meanings first, then ``make`` what ``source`` selects from. There is no join in it, after which the rows
    would come in another order and had to be sorted.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source, received: Received) -> None:
        self._con, self._fields, self._count = con, list(source.columns), received.count
        columns = self._columns = received.columns
        self._coded = {name for name, column in columns.items() if column.is_coded}
        self._meanings: dict[str, dict[str, str]] = {}  # field -> SQL of a meaning -> its column
        self._added: dict[str, pa.ChunkedArray] = {}

    def __call__(self, field: str, meaning: Callable[[str], str]) -> str:
        """SQL for the ``meaning`` (SQL of the SQL of a text) of the field's cell."""
        if field not in self._coded:
            return f"({meaning(f'cells.{sql.name(field)}')})"
        meanings = self._meanings.setdefault(field, {})
        # Names with a space are no field's.
        return f"cells.{sql.name(meanings.setdefault(meaning('text'), f'{field} means {len(meanings)}'))}"

    def meter_no(self, field: str, pattern: str | None) -> tuple[str, str]:
        """SQL for the number in ``field`` without hyphens and spaces, and for whether it is none of ``pattern``."""
        number = "to_meter_no({})".format
        if field in self._coded or field not in self._columns:
            found = self(field, number)
        else:
            self._added["meter no"] = self._numbers(self._columns[field].values())
            found = 'cells."meter no"'
        if pattern is None:
            return found, f"{found} is null"
        digits = _DIGITS.fullmatch(pattern)
        if digits and "meter no" in self._added:
            numbers = self._added["meter no"]
            has_length = pc.equal(pc.binary_length(numbers), int(digits[1]))
            self._added["is agreed"] = pc.and_(has_length, pc.ascii_is_decimal(numbers))
            return found, f'{found} is null or not cells."is agreed"'
        return found, f"{found} is null or not regexp_full_match({found}, {sql.text(pattern)})"

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
        if field not in self._coded:
            return self(field, meaning)
        names = self._worked_out(field, f"{meaning('text')} as name")["name"].combine_chunks()
        if names.null_count == len(names):
            return "null::varchar"
        self._con.register("names", pa.table({"name": names}))
        chosen = "select distinct name from names where name is not null order by all"
        name = sql.name(f"{field} name")
        self._con.execute(f"create type {name} as enum ({chosen})")
        self._con.unregister("names")
        self._added[f"{field} name"] = self._columns[field].of(names.dictionary_encode())
        return f"cells.{name}::{name}"

    def forget(self) -> None:
        """Free what ``make`` registered."""
        self._con.unregister("cells")

    def make(self) -> str:
        """Make ``cells``; the FROM clause for it."""
        if not self._columns:  # of a large file
            return "raw as cells"
        table = {"row_no": pa.array(np.arange(1, self._count + 1))}
        for name in self._fields:
            if name not in self._columns:
                table[name] = pa.nulls(self._count, pa.string())
            elif name not in self._coded:
                table[name] = self._columns[name].values()
        with ThreadPoolExecutor() as beside:
            for name, meanings in self._meanings.items():
                found = self._worked_out(
                    name, ", ".join(f"{meaning} as {sql.name(alias)}" for meaning, alias in meanings.items())
                )
                values = [found[alias].combine_chunks() for alias in meanings.values()]
                table |= zip(meanings.values(), beside.map(self._columns[name].of, values), strict=True)
        self._con.register("cells", pa.table(table | self._added))
        return "cells"

    def _worked_out(self, field: str, meanings: str) -> pa.Table:
        """``meanings`` (SQL) of a coded field's texts, by code."""
        texts = self._columns[field].texts()
        self._con.register("known", pa.table({"code": pa.array(range(len(texts)), pa.int32()), "text": texts}))
        try:
            return self._con.sql(f"select {meanings} from known order by code").to_arrow_table()
        finally:
            self._con.unregister("known")

"""What banks sent back that is no line of any batch issued by then: it changes nothing, so somebody must be told."""

from __future__ import annotations

import duckdb

from tanso import lake
from tanso.ledger import ledger
from tanso.settings import Home
from tanso.sql import Row, rows


def unmatched(home: Home) -> list[Row]:
    """Returned lines that were not issued when they came, in the lake as it is: program_id, file_name, batch_id,
    line_no, and reason: ``unknown_batch`` (the programme had issued none of that number by then) or ``unknown_line``
    (it has no such line).

    Raises LedgerError as ``ledger.load`` does.
    """
    with duckdb.connect() as connection:
        lake.create_sources(connection, home.lake)
        ledger.load(connection, home)
        return rows(
            connection,
            """
            with named as (
                select program_id, sha256, min(file_name) as file_name from lake.files
                where status = 'accepted' group by all
            )
            select r.program_id, n.file_name, r.batch_id, r.line_no,
                if(
                    exists (
                        select 1 from ledger as b
                        where b.program_id = r.program_id and b.batch_id = r.batch_id and b.issued_at <= r.received_at
                    ),
                    'unknown_line',
                    'unknown_batch'
                ) as reason
            from (
                select program_id, batch_id, line_no, source_file_id, max(received_at) as received_at
                from lake.returns group by all
            ) as r
            anti join ledger as l
                on l.program_id = r.program_id and l.batch_id = r.batch_id and l.line_no = r.line_no
                and l.issued_at <= r.received_at
            left join named as n on n.program_id = r.program_id and n.sha256 = r.source_file_id
            order by all
            """,
        )

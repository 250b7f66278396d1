"""The control report of a batch: one page for the treasurer to sign. Totals only, no personal data.

Four amounts per region and incentive type that must agree: what the rules computed, what was approved, what the files
pay, what the ledger holds. Words in the programme's language (policy ``labels`` of kind ``control``) and in English.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from lxml import etree
from lxml import html as markup

from tanso import sql
from tanso.shown import html
from tanso.sql import Row, rows

NAME = "control.html"
COLUMNS = ("lines", "computed", "proposed", "files", "ledger")
_CUT_SHOWN = 20
_STYLE = """
@page { size: A4; margin: 15mm }
body { font: 10pt/1.4 sans-serif; max-width: 180mm; margin: 0 auto; color: #000; background: #fff }
h1 { font-size: 15pt; margin: 0 0 4mm } h2 { font-size: 11pt; margin: 5mm 0 1mm }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #666; padding: 1mm 2mm; text-align: left }
td.n, th.n { text-align: right } tr.total td { font-weight: bold } small { color: #444; font-weight: normal }
.mono { font-family: monospace; font-size: 8pt; overflow-wrap: anywhere }
.sign { display: flex; gap: 10mm; margin-top: 14mm } .sign div { flex: 1; border-top: 1px solid #000; padding-top: 1mm }
"""


def totals(connection: duckdb.DuckDBPyConnection, current: Any, paid: list[Row], lines: Path) -> list[Row]:
    """Per region and incentive type: lines, and the amounts computed, proposed, in the files and in the ledger.

    Computed is what the decision says of the marts; proposed the approved proposal's; ``paid`` what the files were
    found to pay (region_code, incentive_type, amount); ``lines`` the batch's part of the ledger.
    """
    key = ("region_code", "incentive_type")
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def add(column: str, entries: list[Row], amount: str = "amount") -> None:
        for entry in entries:
            blank = dict.fromkeys(COLUMNS, 0)
            row = found.setdefault(tuple(entry[name] for name in key), blank)
            row[column] += entry[amount]

    add(
        "computed",
        rows(
            connection,
            "select region_code, incentive_type, sum(due - paid)::bigint as amount from decision "
            "where hold_reason is null and due > paid group by all",
        ),
    )
    add("proposed", [total for total in current.totals if total["lines"]])
    add("files", paid)
    ledger = "select region_code, incentive_type, count(*) as lines, sum(amount)::bigint as amount from read_parquet(?)"
    in_ledger = rows(connection, f"{ledger} group by all", [str(lines)])
    add("ledger", in_ledger)
    add("lines", in_ledger, "lines")
    return [dict(zip(key, place, strict=True), **amounts) for place, amounts in sorted(found.items())]


def write(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    found: list[Row],
    current: Any,
    batch: Any,
    cut: list[str],
) -> int:
    """Write the report of a batch, UTF-8, without anything fetched from elsewhere; its number of totals.

    ``cut``: the participants whose name or note a transfer file had no room for. ``batch`` is the ``files.Head``;
    ``connection`` has the labels and regions of ``files.sql``.
    """
    words = _words(connection, batch.program_id)
    page = _page(connection, words, found, current, batch, cut)
    path.write_text(page, "utf-8")
    return len(found)


def read(path: Path) -> list[Row]:
    """The totals that a written report shows, without the row that adds them up; as ``totals`` gives them."""
    tree = markup.fromstring(path.read_text("utf-8"))
    found = []
    for row in tree.iterfind(".//table[@id='totals']//tr[@data-region]"):
        shown = [_number(cell) for cell in row.iterfind("./td[@class='n']")]
        key = {"region_code": row.get("data-region"), "incentive_type": row.get("data-type")}
        found.append({**key, **dict(zip(COLUMNS, shown, strict=True))})
    return found


def read_sum(path: Path) -> tuple[int, ...]:
    """The report's sums, in the order of ``COLUMNS``."""
    tree = markup.fromstring(path.read_text("utf-8"))
    cells = tree.iterfind(".//table[@id='totals']//tr[@class='total']/td[@class='n']")
    return tuple(map(_number, cells))


def _number(cell: etree._Element) -> int:
    return int("".join(map(str, cell.itertext())).replace(",", ""))


def _words(connection: duckdb.DuckDBPyConnection, program_id: str) -> dict[tuple[str, str], str]:
    """(kind, code) -> the word in the programme's language."""
    labels = connection.execute(
        "select kind, code, name_local from carried.policy.labels where program_id = ?", [program_id]
    ).fetchall()
    return {(kind, code): word for kind, code, word in labels}


def _page(
    connection: duckdb.DuckDBPyConnection,
    words: dict[tuple[str, str], str],
    found: list[Row],
    current: Any,
    batch: Any,
    cut: list[str],
) -> str:
    regions = dict(connection.execute("select region_code, region_name from region").fetchall())
    name_local, name_en = sql.first(
        connection,
        "select name_local, name_en from house.marts.dim_programs where program_id = ?",
        [batch.program_id],
    )

    def both(code: str, kind: str = "control") -> str:
        english = html(code.replace("_", " ").capitalize())
        local = words.get((kind, code))
        return f"{html(local)}<br><small>{english}</small>" if local else english

    def region(code: str) -> str:
        return html(f"{code} {regions.get(code) or ''}".strip())

    facts = {
        "batch": f"{batch.program_id} {batch.batch_id}",
        "as_of": current.as_of,
        "issued_at": f"{batch.issued_at.isoformat(' ', 'seconds')} ({batch.issued_at.tzinfo})",
        "approved_by": batch.approved_by,
        "currency": batch.currency,
        "policy_fingerprint": current.policy_sha256,
        "code_version": current.code_version,
    }
    if cut:
        rest = f", … ({len(cut)})" if len(cut) > _CUT_SHOWN else ""
        facts["cut_off_in_transfer_file"] = ", ".join(cut[:_CUT_SHOWN]) + rest
    sums = [sum(row[column] for row in found) for column in COLUMNS]
    body = [
        f"<h1>{both('control_report')}</h1><p>{html(name_local)}<br><small>{html(name_en)}</small></p>",
        _table("facts", [], [(f"<tr><th>{both(code)}</th>", [_fact(value)]) for code, value in facts.items()]),
        _table(
            "totals",
            [both("region"), both("incentive_type"), *map(both, COLUMNS)],
            [
                (
                    f'<tr data-region="{html(row["region_code"])}" data-type="{html(row["incentive_type"])}">',
                    [region(row["region_code"]), both(row["incentive_type"], "incentive_type")]
                    + [row[column] for column in COLUMNS],
                )
                for row in found
            ]
            + [('<tr class="total">', [both("total"), "", *sums])],
        ),
        f"<h2>{both('held')}</h2>",
        _table(
            "held",
            [both("region"), both("reason"), both("participants"), both("amount")],
            [
                (
                    "<tr>",
                    [region(row["region_code"]), both(row["hold_reason"], "hold_reason")]
                    + [row["participants"], row["amount"]],
                )
                for row in current.held
            ],
        ),
        f"<h2>{both('overpaid')}</h2>",
        _table(
            "overpaid",
            [both("participants"), both("amount")],
            [("<tr>", [current.overpaid["participants"], current.overpaid["amount"]])],
        ),
        f'<div class="sign"><div>{both("signature")}</div><div>{both("date")}</div></div>',
    ]
    head = f'<meta charset="utf-8"><title>{html(batch.batch_id)}</title><style>{_STYLE}</style>'
    return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"


def _fact(value: str | date) -> str:
    text = html(str(value))
    return f'<span class="mono">{text}</span>' if len(text) > 40 else text


def _table(name: str, head: list[str], lines: list[tuple[str, list[str | int]]]) -> str:
    """``lines``: the row's opening tag, and cells: numbers, or HTML."""
    numeric = [bool(lines) and isinstance(value, int) for value in (lines[0][1] if lines else head)]
    titles = [f"<th{_right(number)}>{title}</th>" for title, number in zip(head, numeric, strict=False)]
    body = [
        opening
        + "".join(f"<td{_right(isinstance(v, int))}>{f'{v:,}' if isinstance(v, int) else v}</td>" for v in cells)
        for opening, cells in lines
    ]
    header = f"<tr>{''.join(titles)}</tr>\n" if head else ""
    return f'<table id="{name}">\n{header}' + "</tr>\n".join(body) + ("</tr>\n" if body else "") + "</table>"


def _right(is_number: bool) -> str:
    return ' class="n"' if is_number else ""

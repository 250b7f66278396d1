"""One landed file: read, split into good, refused and duplicate rows, and staged.

All of it is derived: made again whenever it is missing or outdated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from tanso import lake_files
from tanso.files import DamagedFile, file_sha256, private_folder
from tanso.ingest import names
from tanso.ingest.formats import forbidden, read
from tanso.ingest.formats.parsers import FileRefused
from tanso.ingest.formats.received import Received
from tanso.ingest.kinds import values
from tanso.ingest.kinds.registry import KINDS, kind_of
from tanso.ingest.lake.staged import staged_folder
from tanso.ingest.landing import erased, land
from tanso.ingest.model import Context, Receipt
from tanso.ingest.verdicts import feedback, quarantine
from tanso.packs.sources import Source
from tanso.settings import Home

_MIN_ROWS = 20  # fewer rows are never too many bad ones
_EXAMPLES = 20


def fingerprint(source: Source, policy: Any) -> str:
    """What a file's result depends on besides its bytes: the declaration, the policy its kind reads, and our code."""
    tables = kind_of(source).policy_tables
    rows = {table: policy.rows(table, source.program_id) for table in tables}
    parts = [
        source.fingerprint,
        _time_zone(source, policy),
        json.dumps(rows, default=str, sort_keys=True),
        _code(source.kind),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _time_zone(source: Source, policy: Any) -> str:
    """The programme's."""
    return str(policy.rows("programs", source.program_id)[0]["time_zone"])


# What ingest takes from other folders that decides how a row is judged.
_ALSO_CODE = ("lake.py", "sql.py", "privacy/vault.py")


@cache
def _code(kind: str) -> str:
    package = Path(__file__).parents[2]
    of_other_kinds = {package / "ingest" / "kinds" / f"{other}.py" for other in KINDS if other != kind}
    found = [path for path in (package / "ingest").rglob("*") if path.suffix in (".py", ".csv")]
    paths = [*sorted(set(found) - of_other_kinds), *(package / name for name in _ALSO_CODE)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


class Desk:
    """An in-memory database on which one file of a source is judged after another.

    The value macros and the policy that the kind reads are made once; what else is on it is cleared away.
    """

    def __init__(self, source: Source, home: Home, policy: Any) -> None:
        self._source, self._policy = source, policy
        self._spill = staged_folder(home, source.source_id) / ".spill"  # rows as received may lie there
        self._con: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._con:
            self._con.close()

    def cleared(self) -> duckdb.DuckDBPyConnection:
        """The connection, with nothing of the file before."""
        if self._con is None:
            self._con = self._made()
        for (name,) in self._con.execute(
            "select view_name from duckdb_views() where temporary and not internal"
        ).fetchall():
            self._con.unregister(name)
        self._con.execute("drop schema if exists file cascade")
        self._con.execute("create schema file")
        return _in_file(self._con)

    def beside(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same, for another thread."""
        assert self._con
        return _in_file(self._con.cursor())

    def _made(self) -> duckdb.DuckDBPyConnection:
        shutil.rmtree(self._spill, ignore_errors=True)  # of a run that was killed
        private_folder(self._spill)
        # No checkpoint: in memory it would but make tables small that are soon dropped.
        con = duckdb.connect(config={"temp_directory": str(self._spill), "checkpoint_threshold": "1TB"})
        values.install(con)
        tables = kind_of(self._source).policy_tables
        dataclasses.replace(self._policy, tables={name: self._policy.tables[name] for name in tables}).write(con)
        return con


def _in_file(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """What is made is of the file; the macros are found in ``main``."""
    con.execute("set search_path = 'file,main'")
    return con


def judge(
    source: Source, receipt: Receipt, home: Home, policy: Any, wanted: str, personal: bool = True
) -> dict[str, Any]:
    """``judge_on`` a desk of its own."""
    with Desk(source, home, policy) as desk:
        return judge_on(desk, source, receipt, home, policy, wanted, personal)


def judge_on(
    desk: Desk,
    source: Source,
    receipt: Receipt,
    home: Home,
    policy: Any,
    wanted: str,
    personal: bool = True,
    is_just_landed: bool = False,
) -> dict[str, Any]:
    """Judge a landed file and store the result; of a file erased by a purge the result that was kept.

    Without ``personal`` nothing is written that may hold personal data: no vault, refused rows or feedback.
    Raises FileNotFoundError if the bytes are gone without having been erased, DamagedFile if they are not those that
    were received.

    The result: file_name, sha256, fingerprint, status (accepted, rejected), reason, detail, rows_read, rows_accepted,
    rows_quarantined, rows_duplicate, reasons (reason -> rows), ignored_columns, figures, staged_sha256, written (staged
    file -> SHA-256), files (relative to TANSO_HOME); of a rejected file no counts but what the reason is about.
    """
    path = land.landed_path(home, receipt.sha256)
    if not path.exists():
        if kept := erased.restore(home, source.source_id, receipt.sha256, wanted):
            return kept
        raise FileNotFoundError(f"{path}: the bytes of {receipt.file_name} are gone; restore landing/ from its backup")
    if file_sha256(path) != receipt.sha256:
        raise DamagedFile(
            f"{path}: the bytes of {receipt.file_name} are not those that were received (their SHA-256 is not the "
            "file's name); restore landing/ from its backup"
        )
    for name in ("quarantine", "rejected"):  # what an earlier judgement left
        names.path_for(getattr(home, name), receipt, ".csv" if name == "quarantine" else ".json").unlink(
            missing_ok=True
        )
    feedback.remove(home, receipt)
    result: dict[str, Any] = {
        "file_name": receipt.file_name,
        "sha256": receipt.sha256,
        "fingerprint": wanted,
        "reason": None,
        "detail": None,
    }
    work = staged_folder(home, source.source_id)
    private_folder(work)
    stored = work / f"{receipt.sha256}.json"
    stored.unlink(missing_ok=True)  # from here on the file counts as not judged
    try:
        # What the source forbids by now; of what was just landed it is known that it has none.
        if not is_just_landed and (found := forbidden.found(source, path)):
            raise FileRefused("forbidden_column", land.forbidden_detail(found))
        result |= _judge_rows(desk, source, receipt, home, policy, path, personal)
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
        # A fault of ours, told without its message, which quotes cells.
        said = f"{source.source_id}: {receipt.file_name}: {type(error).__name__} while it was judged"
        raise RuntimeError(said).with_traceback(error.__traceback__) from None
    except FileRefused as refused:
        files = _report(home, source, receipt, refused) if personal else []
        result |= {"status": "rejected", "reason": refused.reason, "detail": refused.detail, **refused.figures}
        result |= {"files": [str(file.relative_to(home.root)) for file in files]}
    lake_files.write_hashed_json(result, stored)
    return result


def report_forbidden(source: Source, home: Home, receipt: Receipt) -> None:
    """The report of a file that was not even landed."""
    _report(home, source, receipt, FileRefused("forbidden_column", receipt.detail))


def _report(home: Home, source: Source, receipt: Receipt, refused: FileRefused) -> list[Path]:
    """Say why a whole file is refused: to us and to the provider."""
    messages = feedback.messages(source, refused.reason)
    return [
        quarantine.write_rejection(home, receipt, refused.reason, refused.detail, messages, refused.figures),
        feedback.write_notice(home, source, receipt, refused.reason, refused.detail),
        *(path for path in [names.path_for(home.feedback, receipt, ".csv")] if path.exists()),
    ]


def _judge_rows(
    desk: Desk,
    source: Source,
    receipt: Receipt,
    home: Home,
    policy: Any,
    path: Path,
    personal: bool,
) -> dict[str, Any]:
    """Makes ``raw`` and, by the kind, what it makes of that.

    Reads ``refused``, ``duplicates``, ``good`` and the kind's ``also_staged``.
    """
    kind, con = kind_of(source), desk.cleared()
    found, received = read.load(con, source, path, kind.kept_as_received)
    received_at = datetime.fromisoformat(receipt.received_at)
    context = Context(
        receipt.sha256,
        receipt.file_name,
        receipt.received_no,
        policy,
        home,
        received,
        received_at.astimezone(ZoneInfo(_time_zone(source, policy))).date(),
    )
    kind.judge(con, source, context)
    reasons = dict(con.execute("select reason, count(*) from refused group by 1 order by 1").fetchall())
    bad = sum(rows for reason, rows in reasons.items() if reason not in kind.lenient_reasons)
    too_many = received.count >= _MIN_ROWS and bad > source.max_bad_ratio * received.count
    stage, staging = staged_folder(home, source.source_id) / f"{receipt.sha256}.parquet", None
    with ThreadPoolExecutor(1) as beside:
        if kind.stage and not too_many:
            staging = beside.submit(kind.stage, desk.beside(), source, context, stage)
        counts = _counts(con, source, receipt, received.count)
        files = []
        if reasons and personal:
            files = _show_refused(con, source, receipt, home, found, received, with_quarantine=not too_many)
        figures = {} if too_many else kind.figures(con)
    if too_many:
        examples = con.execute("select row_no, reason from refused order by 1 limit ?", [_EXAMPLES]).fetchall()
        shown = {"rows_in_file": received.count, "reasons": reasons, "first_refused": examples}
        raise FileRefused(
            "too_many_bad_rows",
            f"{bad} of {counts['rows_read']} rows are refused, more than {source.max_bad_ratio}; send a corrected file",
            shown,
        )
    if staging:
        staging.result()
    else:
        lake_files.write(con, f"select * from good order by {kind.order_by}", stage)
    written = {stage.name: file_sha256(stage)}
    files.append(stage)
    for name, query in [("refused", "refused"), *((name, name) for name in kind.also_staged)]:
        also = stage.with_name(f"{receipt.sha256}.{name}.parquet")
        lake_files.write(con, f"select * from {query} order by all", also)
        written[also.name] = file_sha256(also)
        files.append(also)
    if personal and kind.keep:
        kind.keep(con, source, context)
    return {
        "status": "accepted",
        **counts,
        "reasons": reasons,
        "ignored_columns": found.ignored,
        "figures": figures,
        "staged_sha256": written[stage.name],
        "written": written,
        "files": [str(file.relative_to(home.root)) for file in files],
    }


def _show_refused(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    receipt: Receipt,
    home: Home,
    found: read.Layout,
    received: Received,
    with_quarantine: bool,
) -> list[Path]:
    """Write the refused rows as received: to the provider and, of a file that is accepted, to us.

    Reads ``refused``, ``raw``.
    Makes ``shown``.
    """
    row_nos = [row_no for (row_no,) in con.execute("select row_no from refused order by 1").fetchall()]
    received.show(con, row_nos)
    blamed, rows = feedback.blamed(con, source), list(received.rows(row_nos))
    files = [feedback.write_rows(home, source, receipt, found, blamed, rows)]
    if with_quarantine:
        refused = {row_no: reason for row_no, (reason, _) in blamed.items()}
        files.append(quarantine.write_rows(home, receipt, found, refused, rows))
    return files


def _counts(con: duckdb.DuckDBPyConnection, source: Source, receipt: Receipt, count: int) -> dict[str, int]:
    """Row counts, after proof that every row went exactly one way.

    Reads ``refused``, ``duplicates``, ``good``.
    """
    ways = {
        name: con.execute(f"select row_no from {name}").fetchnumpy()["row_no"].astype(np.int64)
        for name in ("refused", "duplicates", "good")
    }
    times = np.bincount(ways["refused"], minlength=count + 1) + np.bincount(ways["duplicates"], minlength=count + 1)
    is_good = np.zeros(len(times), np.bool_)
    is_good[ways["good"]] = True  # once or several times
    if np.any((times + is_good)[1 : count + 1] != 1) or len(times) != count + 1:
        raise AssertionError(
            f"{source.source_id} {receipt.file_name}: rows refused twice, refused and good, or neither"
        )
    refused, duplicates = len(ways["refused"]), len(ways["duplicates"])
    return {
        "rows_read": count,
        "rows_accepted": count - refused - duplicates,
        "rows_quarantined": refused,
        "rows_duplicate": duplicates,
    }

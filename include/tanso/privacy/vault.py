"""The vault: the personal data of the registers, apart from everything else and encrypted at rest.

One Parquet file per accepted snapshot, ``vault/<source_id>/<sha256>.parquet`` (folders 0700, files 0600), encrypted
with Parquet's own encryption under a key derived from the vault's key: ``TANSO_VAULT_KEY`` (32 bytes, URL-safe Base64)
if set, else ``vault/key``, made at first use. Whoever loses the key loses the vault, and every keyed hash in lake and
ledger with it: back it up, apart from the data.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.parquet import encryption

from tanso.files import private_file, private_folder, replace_private, sync
from tanso.privacy import access_log
from tanso.settings import Home

KEY_BYTES = 32
# Beside the files: a hash by which another key is noticed before anything is written, read or compared with it.
CHECK = "key.check"
# The same among the receipts: a vault that is gone whole is told from a home that never had one.
CHECK_ASIDE = "vault.key.check"
_WRONG_KEY = (
    "with it accounts that sent money back could not be told any more. Nothing was changed. Next step: put the right "
    "key back, into TANSO_VAULT_KEY or vault/key, from its backup"
)
ROWS_PER_GROUP = 100_000

# All text; new ones come last, for the files written before. ``address_detail`` is what goes on an envelope after the
# address: unit parts and detail joined by a space.
COLUMNS = (
    "program_id", "participant_id", "name", "householder", "nickname", "login_id", "referrer_id",
    "postal_code", "address", "address_detail", "complex_code", "dong", "ho",
    "bank_code", "account_no", "account_holder", "card_no", "phone", "email", "branch_code", "account_type",
)  # fmt: skip
SCHEMA = pa.schema([(column, pa.string()) for column in COLUMNS])


def key(home: Home) -> bytes:
    """The vault's 32-byte key, made at first use. Raises ValueError when it is lost, no key, or another vault's."""
    configured = os.environ.get("TANSO_VAULT_KEY")
    if configured:
        secret = _decoded(configured, "TANSO_VAULT_KEY", "set it as it was, from its backup")
        _check(home, secret, "TANSO_VAULT_KEY")
        return secret
    stored = home.vault / "key"
    if not stored.exists():
        if _is_in_use(home):
            raise ValueError(
                f"{stored} is missing but the vault is not empty; restore the key from its backup, or set "
                "TANSO_VAULT_KEY if this vault has always had its key from there"
            )
        if told_by := _told_by(home):
            raise ValueError(
                f"{home.vault} is gone: {told_by} tells that it was there. No new key was made: with another key the "
                "keyed hashes of all payees would change, and accounts that sent money back could not be told any "
                "more. Next step: restore vault/ from its backup, or set TANSO_VAULT_KEY if the key has always come "
                "from there, and run again"
            )
        _keep_once(stored, base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)))
    secret = _decoded(stored.read_text("ascii", "replace"), str(stored), "restore the key from its backup")
    _check(home, secret, str(stored))
    return secret


def check(home: Home) -> None:
    """Raise what ``key`` raises, if the vault is in use; to be called before anything is compared by keyed hash."""
    if _is_in_use(home) or _check_aside(home).exists():
        key(home)


def _check_aside(home: Home) -> Path:
    return home.receipts / CHECK_ASIDE


def _told_by(home: Home) -> Path | None:
    """What tells, outside the vault, that there was one. Homes of an older version have no check value aside."""
    registers = home.lake.glob("participants/*.parquet")
    batches = (*home.issue_log.glob("*.json"), *home.exports.glob("*/*/*/manifest.json"))
    erased_rows = home.receipts.glob("*/erased/*.json")
    kept = [_check_aside(home)] if _check_aside(home).exists() else []
    return next(iter((*kept, *batches, *erased_rows, *registers)), None)


def _is_in_use(home: Home) -> bool:
    return (home.vault / CHECK).exists() or next(home.vault.glob("*/*.parquet"), None) is not None


def _check(home: Home, secret: bytes, where: str) -> None:
    """Compare the key with the vault's check values, which are kept at first use.

    A vault of an older version has none: there the key is right if it opens one of its files.
    """
    value = keyed_hash(secret, "check value of the vault").encode()
    kept = [home.vault / CHECK, _check_aside(home)]
    there = [path for path in kept if path.exists()]
    for path in there:
        found = path.read_bytes()
        if hmac.compare_digest(found, value):
            continue
        if not re.fullmatch(b"[0-9a-f]{64}", found):
            raise ValueError(
                f"{path} is damaged: restore it from its backup, or delete it if there is none: it is made again "
                "if the key opens a file of the vault"
            )
        raise ValueError(f"{where} is not the key that {home.vault} was made with: {_WRONG_KEY}")
    if not there:
        paths = sorted(home.vault.glob("*/*.parquet"))
        if paths and not any(_opens(path, _file_key_of(secret)) for path in paths):
            raise ValueError(f"{where} opens no file of {home.vault}: {_WRONG_KEY}")
    for path in kept:
        if path not in there:
            _keep_once(path, value)


def _opens(path: Path, file_key: bytes) -> bool:
    opened = encryption.create_decryption_properties(footer_key=file_key)
    try:
        with pq.ParquetFile(path, decryption_properties=opened):
            return True
    except (pa.ArrowException, OSError):
        return False


def _keep_once(path: Path, content: bytes) -> None:
    """Keep a file of the vault, on disk when this returns; if another process was first, its file stays."""
    folder = private_folder(path.parent)
    aside = folder / f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}"
    with private_file(aside) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    sync(folder)
    sync(folder.parent)


def keyed_hash(secret: bytes, text: str) -> str:
    """HMAC-SHA256 of the text, in hex: comparable, but not to be guessed without the key."""
    return hmac.digest(secret, text.encode(), "sha256").hex()


def write(home: Home, source_id: str, sha256: str, rows: duckdb.DuckDBPyRelation) -> Path:
    """Write one snapshot's personal data; ``rows`` has the columns of ``COLUMNS``. Replaces the file atomically.

    Who was erased from this snapshot stays erased, also when its file is judged again.
    """
    folder = home.vault / source_id
    private_folder(home.vault)
    private_folder(folder)
    path = folder / f"{sha256}.parquet"
    aside = folder / f".{sha256}-{os.getpid()}.tmp"
    gone = pa.array(sorted(erased(home, source_id, sha256)), pa.string())
    sealed = encryption.create_encryption_properties(footer_key=_file_key(home))
    try:
        with private_file(aside) as file:
            with pq.ParquetWriter(file, SCHEMA, compression="zstd", encryption_properties=sealed) as writer:
                for batch in rows.select(*COLUMNS).to_arrow_reader(ROWS_PER_GROUP):
                    kept = pc.invert(pc.is_in(batch["participant_id"], gone))
                    writer.write_batch(batch.cast(SCHEMA).filter(kept))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync(folder)
    sync(home.vault)
    return path


def read(
    home: Home,
    program_id: str,
    wanted: duckdb.DuckDBPyRelation | pa.Table | Iterable[tuple[str, str]],
    why: str = "no reason given",
    who: str | None = None,
    columns: Iterable[str] = COLUMNS,
) -> pa.Table:
    """The personal data of the wanted participants of a programme. ``why`` and ``who`` go into the access log.

    ``wanted``: pairs (source_file_id, participant_id), as the lake's ``participants`` has them. The result has
    ``source_file_id``, ``participant_id`` and those of ``columns`` (of ``COLUMNS``, in that order), ordered by both
    ids; participants whose data were erased are not in it. Raises FileNotFoundError when a wanted snapshot is not in
    the vault.
    """
    found, asked = [], [name for name in COLUMNS if name == "participant_id" or name in set(columns)]
    with _connect() as con:
        con.register("wanted", _pairs(wanted))
        snapshots = con.execute("select distinct source_file_id from wanted order by 1").fetchall()
        for (sha256,) in snapshots:
            path = next(home.vault.glob(f"*/{sha256}.parquet"), None)
            if path is None:
                raise FileNotFoundError(
                    f"vault/*/{sha256}.parquet: no personal data of this register snapshot; "
                    f"restore vault/ from its backup, or delete {home.lake / '_staged'} and ingest again from landing/"
                )
            try:
                found.append(_part(con, home, program_id, sha256, path, asked))
            except (pa.ArrowException, OSError, duckdb.Error) as error:
                raise _damaged(home, path, error) from None
    schema = pa.schema([(name, pa.string()) for name in ("source_file_id", *asked)])
    table = pa.concat_tables(found) if found else schema.empty_table()
    access_log.record(home, "vault_read", why, who, program_id=program_id, participants=table.num_rows)
    return table.sort_by([("source_file_id", "ascending"), ("participant_id", "ascending")])


def participants(home: Home, path: Path) -> list[str]:
    """The participants in a vault file, sorted; nothing else is read of it."""
    opened = encryption.create_decryption_properties(footer_key=_file_key(home))
    try:
        with pq.ParquetFile(path, decryption_properties=opened) as file:
            return sorted(file.read(["participant_id"])["participant_id"].to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise _damaged(home, path, error) from None


def _damaged(home: Home, path: Path, error: Exception) -> ValueError:
    # The key was checked: it is the file.
    return ValueError(
        f"{path} is damaged ({error}): restore it from the vault's backup, or delete {home.lake / '_staged'} and "
        "ingest again from landing/"
    )


def erased(home: Home, source_id: str, sha256: str) -> set[str]:
    """The participants that were erased from a snapshot."""
    path = home.vault / source_id / f"{sha256}.erased.json"
    return set(json.loads(path.read_text("utf-8"))) if path.exists() else set()


def erased_of(home: Home, snapshots: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (SHA-256 of the snapshot, participant) that were erased from these snapshots; no personal data are read."""
    paths = [path for sha256 in sorted(snapshots) for path in home.vault.glob(f"*/{sha256}.erased.json")]
    return [(path.name.split(".")[0], one) for path in paths for one in json.loads(path.read_text("utf-8"))]


def erase(home: Home, source_id: str, sha256: str, participant_ids: Iterable[str]) -> None:
    """Erase participants' personal data from a snapshot: remembered first, then the file is rewritten without them."""
    folder = home.vault / source_id
    gone = sorted(erased(home, source_id, sha256) | set(participant_ids))
    replace_private(folder / f"{sha256}.erased.json", json.dumps(gone).encode())
    opened = encryption.create_decryption_properties(footer_key=_file_key(home))
    path = folder / f"{sha256}.parquet"
    try:
        with pq.ParquetFile(path, decryption_properties=opened) as file:
            people = _complete(file.read())
    except (pa.ArrowException, OSError) as error:
        raise _damaged(home, path, error) from None
    with _connect() as con:
        write(home, source_id, sha256, con.from_arrow(people))


def _connect() -> duckdb.DuckDBPyConnection:
    """In memory, and nowhere else: personal data never go to disk as they are."""
    return duckdb.connect(config={"temp_directory": ""})


def _part(
    con: duckdb.DuckDBPyConnection, home: Home, program_id: str, sha256: str, path: Path, asked: list[str]
) -> pa.Table:
    opened = encryption.create_decryption_properties(footer_key=_file_key(home))
    names = [name for name in COLUMNS if name == "program_id" or name in asked]
    with pq.ParquetFile(path, decryption_properties=opened) as file:
        there = [name for name in names if name in file.schema_arrow.names]
        rows = (_complete(batch, names) for batch in file.iter_batches(ROWS_PER_GROUP, columns=there))
        schema = pa.schema([(name, pa.string()) for name in names])
        con.register("snapshot", pa.RecordBatchReader.from_batches(schema, rows))
        listed = ", ".join(f"snapshot.{name}" for name in asked)
        try:
            return con.sql(
                f"""
                select $sha256 as source_file_id, {listed}
                from snapshot
                where program_id = $program_id
                  and participant_id in (select participant_id from wanted where source_file_id = $sha256)
                """,
                params={"sha256": sha256, "program_id": program_id},
            ).to_arrow_table()
        finally:
            con.unregister("snapshot")


def _complete(rows: Any, names: Iterable[str] = COLUMNS) -> Any:
    """Rows of a vault file (record batch or table) with all columns: those that came after its day are null."""
    for name in set(names) - set(rows.schema.names):
        rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
    return rows.select(list(names))


def _pairs(wanted: duckdb.DuckDBPyRelation | pa.Table | Iterable[tuple[str, str]]) -> pa.Table:
    schema = pa.schema([("source_file_id", pa.string()), ("participant_id", pa.string())])
    if isinstance(wanted, duckdb.DuckDBPyRelation):
        wanted = wanted.to_arrow_table()
    if isinstance(wanted, pa.Table):
        return wanted.select(schema.names).cast(schema)
    return pa.Table.from_pylist([dict(zip(schema.names, pair, strict=True)) for pair in wanted], schema=schema)


def _file_key(home: Home) -> bytes:
    """Another key than that of the hashes: one key, one use."""
    return _file_key_of(key(home))


def _file_key_of(secret: bytes) -> bytes:
    return hmac.digest(secret, b"vault files", "sha256")


def _decoded(text: str, where: str, way_out: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(text.strip())
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise ValueError(f"{where} must be {KEY_BYTES} bytes in URL-safe Base64; {way_out}")
    return decoded

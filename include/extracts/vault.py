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
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.parquet import encryption

from include import access_log, on_disk
from include.settings import Home

KEY_BYTES = 32
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
    """The vault's 32-byte key. Raises ValueError when it is lost or no such key."""
    configured = os.environ.get("TANSO_VAULT_KEY")
    if configured:
        return _decoded(configured, "TANSO_VAULT_KEY")
    stored = home.vault / "key"
    if not stored.exists():
        if next(home.vault.glob("*/*.parquet"), None):
            raise ValueError(f"{stored} is missing but the vault is not empty; restore the key from its backup")
        on_disk.private_folder(home.vault)
        made = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES))
        aside = home.vault / f".key-{os.getpid()}-{secrets.token_hex(4)}"
        with on_disk.private_file(aside) as file:
            file.write(made)
        try:
            os.link(aside, stored)  # fails if another process was first: its key stays
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return _decoded(stored.read_text("ascii"), str(stored))


def keyed_hash(secret: bytes, text: str) -> str:
    """HMAC-SHA256 of the text, in hex: comparable, but not to be guessed without the key."""
    return hmac.digest(secret, text.encode(), "sha256").hex()


def write(home: Home, source_id: str, sha256: str, rows: duckdb.DuckDBPyRelation) -> Path:
    """Write one snapshot's personal data; ``rows`` has the columns of ``COLUMNS``. Replaces the file atomically.

    Who was erased from this snapshot stays erased, also when its file is judged again.
    """
    folder = home.vault / source_id
    on_disk.private_folder(home.vault)
    on_disk.private_folder(folder)
    path = folder / f"{sha256}.parquet"
    aside = folder / f".{sha256}-{os.getpid()}.tmp"
    gone = pa.array(sorted(erased(home, source_id, sha256)), pa.string())
    sealed = encryption.create_encryption_properties(footer_key=_file_key(home))
    try:
        with (
            on_disk.private_file(aside) as file,
            pq.ParquetWriter(file, SCHEMA, compression="zstd", encryption_properties=sealed) as writer,
        ):
            for batch in rows.select(*COLUMNS).to_arrow_reader(ROWS_PER_GROUP):
                kept = pc.invert(pc.is_in(batch["participant_id"], gone))
                writer.write_batch(batch.cast(SCHEMA).filter(kept))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
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
            found.append(_part(con, home, program_id, sha256, path, asked))
    schema = pa.schema([(name, pa.string()) for name in ("source_file_id", *asked)])
    table = pa.concat_tables(found) if found else schema.empty_table()
    access_log.record(home, "vault_read", why, who, program_id=program_id, participants=table.num_rows)
    return table.sort_by([("source_file_id", "ascending"), ("participant_id", "ascending")])


def participants(home: Home, path: Path) -> list[str]:
    """The participants in a vault file, sorted; nothing else is read of it."""
    opened = encryption.create_decryption_properties(footer_key=_file_key(home))
    with pq.ParquetFile(path, decryption_properties=opened) as file:
        return sorted(file.read(["participant_id"])["participant_id"].to_pylist())


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
    aside = folder / f".{sha256}-{os.getpid()}.erased"
    aside.unlink(missing_ok=True)
    with on_disk.private_file(aside) as file:
        file.write(json.dumps(gone).encode())
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / f"{sha256}.erased.json")
    opened = encryption.create_decryption_properties(footer_key=_file_key(home))
    with (
        pq.ParquetFile(folder / f"{sha256}.parquet", decryption_properties=opened) as file,
        _connect() as con,
    ):
        write(home, source_id, sha256, con.from_arrow(_complete(file.read())))


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
    return hmac.digest(key(home), b"vault files", "sha256")


def _decoded(text: str, where: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(text.strip())
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise ValueError(f"{where} must be {KEY_BYTES} bytes in URL-safe Base64; restore the key from its backup")
    return decoded

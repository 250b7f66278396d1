"""Policy as a record: what was in force when, so that a past day can be evaluated again.

``policies/<since>-<hash>/`` holds ``packs/<program_id>/{policy,sources}/`` and what payout files are made by there,
as the first evaluation with them found them, and ``record.json``. A folder is in force from ``since`` (UTC) until the
next; it appears whole or not at all and is never changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tanso.files import DamagedFile, hashed_json, private_file, private_folder, read_hashed, sync
from tanso.packs.layout_files import layout_files
from tanso.packs.policy import Policy, find_packs, load_policy
from tanso.packs.rows import Problems
from tanso.settings import Home, program_roots
from tanso.warehouse.fingerprint import code_version

_HASH_SIGNS = 12


class PolicyNotKnown(ValueError):
    """No policy is on record for the moment that is asked for."""


def files_of(roots: list[Path] | None) -> dict[str, bytes]:
    """What a record keeps of the packs, read when the policy is loaded: an evaluation may take long."""
    return dict(_files(roots))


def layouts_sha256(files: dict[str, bytes]) -> str:
    """Of what payout files are made by in ``files_of``'s; blank when no pack has such files."""
    made_by = [
        f"{name} {hashlib.sha256(content).hexdigest()}"
        for name, content in files.items()
        if name.split("/")[1] not in ("policy", "sources")
    ]
    return hashlib.sha256("\n".join(made_by).encode()).hexdigest() if made_by else ""


def policy_sha256(policy: Policy, files: dict[str, bytes]) -> str:
    """Of the policy's values and of what payout files are made by: what a batch's manifest names."""
    layouts = layouts_sha256(files)
    return hashlib.sha256(f"{policy.fingerprint} {layouts}".encode()).hexdigest() if layouts else policy.fingerprint


def record(home: Home, files: dict[str, bytes], policy: Policy, since: datetime) -> Path:
    """Keep the packs' ``files_of`` that ``policy`` was loaded from, unless they are those of the newest record.

    Returns the record's folder. One caller at a time (the evaluation's lock). Raises RuntimeError if a pack was changed
    between loading and reading.
    """
    digest = _digest(files)
    newest = max(records(home), default=None)
    if newest and newest.name.endswith(f"-{digest[:_HASH_SIGNS]}"):
        return newest
    private_folder(home.policies)
    aside = home.policies / ".new"
    for name, content in files.items():
        path = aside / "packs" / name
        private_folder(path.parent)
        with private_file(path) as file:
            file.write(content)
    if load_policy([aside / "packs"]).fingerprint != policy.fingerprint:
        raise RuntimeError("the policy was changed while it was read; run again")
    about = {
        "since": since.astimezone(UTC).isoformat(),
        "sha256": digest,
        "policy_sha256": policy_sha256(policy, files),
        "code_version": code_version(),
    }
    with private_file(aside / "record.json") as file:
        file.write(hashed_json(about))
    for path in (*aside.rglob("*"), aside):
        sync(path)
    kept = home.policies / f"{since.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{digest[:_HASH_SIGNS]}"
    aside.replace(kept)
    sync(home.policies)
    return kept


def records(home: Home) -> list[Path]:
    """The folders of all records, oldest first."""
    return sorted(path for path in home.policies.glob("[0-9]*-*") if path.is_dir())


def in_force(home: Home, moment: datetime) -> Path:
    """The folder of the record in force at ``moment``.

    Raises PolicyNotKnown if nothing was evaluated by then, DamagedFile if its files are not those that were recorded.
    """
    known = records(home)
    found = [path for path in known if _since(path) <= moment]
    if not found:
        first = f"the first evaluation on record is of {_since(known[0]).isoformat()}" if known else "none is on record"
        raise PolicyNotKnown(f"{moment.isoformat()}: nothing had been evaluated by then; {first}")
    if _digest(files_of([found[-1] / "packs"])) != about(found[-1])["sha256"]:
        raise DamagedFile(
            f"{found[-1]}: the files are not those that were recorded (record.json has their SHA-256); restore "
            "policies/ from its backup"
        )
    return found[-1]


def about(folder: Path) -> dict[str, str]:
    """A record's since, sha256 (of the files), policy_sha256 (of the values and layouts) and code_version."""
    try:
        return read_hashed(folder / "record.json", of_records=True)
    except (DamagedFile, FileNotFoundError) as error:
        raise DamagedFile(f"{error}; restore policies/ from its backup") from None


def _digest(files: dict[str, bytes]) -> str:
    listed = "\n".join(f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in files.items())
    return hashlib.sha256(listed.encode()).hexdigest()


def _since(folder: Path) -> datetime:
    return datetime.strptime(folder.name.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


def _files(roots: list[Path] | None) -> Iterator[tuple[str, bytes]]:
    """``<program_id>/policy/<table>.csv``, ``<program_id>/sources/<source_id>.yml`` and the layout, with bytes."""
    for pack in find_packs(program_roots() if roots is None else roots, Problems()):
        for path in (*sorted(pack.glob("policy/*.csv")), *sorted(pack.glob("sources/*.yml"))):
            if not path.name.startswith("."):
                yield f"{pack.name}/{path.parent.name}/{path.name}", path.read_bytes()
        for name, path in layout_files(pack).items():
            yield f"{pack.name}/{name}", path.read_bytes()

"""What an evaluation depends on, as one hash: the lake's bytes, the policy's values, the code, DuckDB itself.

Lake files are hashed whole. Modification times would call a rewritten but equal file new, sizes and Parquet footers
would miss a corrected reading that takes as many bytes as the wrong one; hashing reads a gigabyte in about a second,
while the evaluation it may spare takes many times that.
"""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from pathlib import Path

import duckdb

from tanso.files import file_sha256
from tanso.settings import PROJECT_ROOT

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
CODE_SUFFIXES = {".py", ".sql", ".yml", ".yaml"}


def fingerprint(files: dict[str, str], policy_fingerprint: str, project: Path = DBT_PROJECT) -> str:
    """SHA-256 over everything that decides what the marts say; ``files`` are the lake's."""
    lines = [f"policy {policy_fingerprint}", f"code {code_hash(project)}", f"duckdb {duckdb.__version__}"]
    lines += [f"{sha256} {path}" for path, sha256 in files.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def code_hash(project: Path = DBT_PROJECT) -> str:
    """SHA-256 of the rules and of our Python as they are on disk, committed or not (packs are policy, not code)."""
    lines = []
    for folder in (project, PROJECT_ROOT / "include" / "tanso"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in CODE_SUFFIXES and path.is_file():
                lines.append(f"{path.relative_to(folder).as_posix()} {file_sha256(path)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def code_version() -> str:
    """The commit of the checkout, ``-dirty`` if tracked files differ; without git, the start of the code's hash."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return f"code-{code_hash()[:16]}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(PROJECT_ROOT), *arguments], capture_output=True, check=True, timeout=30)
    return done.stdout.decode().strip()

"""The files of regions that declare a public key: encrypted with age before they reach the disk.

Only the region can open them. So that a batch can still be read back before it is issued, its files are encrypted to a
second key too, which is made for this one batch, kept in memory, and gone with the process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from pyrage import RecipientError, decrypt, encrypt_io, x25519

SUFFIX = ".age"


class Seal:
    """``recipients``: region code -> its public keys (``age1…``), any of which opens its files."""

    def __init__(self, recipients: Mapping[str, Sequence[str]]):
        self.regions = {region: [recipient(key) for key in keys] for region, keys in recipients.items()}

    def suffix(self, region: str) -> str:
        """What comes after the names of the region's files."""
        return SUFFIX if region in self.regions else ""

    @contextmanager
    def create(self, path: Path, region: str) -> Iterator[BinaryIO]:
        """A new file to write, of that region; what is to be encrypted waits in memory until it is whole."""
        with path.open("xb") as file:
            if region not in self.regions:
                yield file
                return
            with io.BytesIO() as plain:
                yield plain
                plain.seek(0)
                encrypt_io(plain, file, [*self.regions[region], self._own.to_public()])

    def open(self, path: Path) -> BinaryIO:
        """What ``create`` was given, read back from the disk."""
        if path.suffix != SUFFIX:
            return path.open("rb")
        return io.BytesIO(decrypt(path.read_bytes(), [self._own]))

    @cached_property
    def _own(self) -> Any:
        return x25519.Identity.generate()


def recipient(key: Any) -> Any:
    """A public key; raises ValueError for a value that is none."""
    try:
        return x25519.Recipient.from_str(key)
    except (RecipientError, TypeError) as error:
        # A private key would be one too many people's by then: not shown.
        shown = "a private key" if str(key).upper().startswith("AGE-SECRET-KEY-") else repr(key)
        raise ValueError(f"{shown} is no public key of age (age1…): {error}") from None

"""MODSEQs that are moments: without any record of those that were given, the next one is above them."""

import time
from pathlib import Path

from mailaccess.store import files
from mailaccess.values import ModSeq

SHIFT = 20
"""Seconds in 2**20ths: a million changes a second for ever, and below 2**63 until the year 280,000."""


def at(time_ns: int) -> ModSeq:
    """A moment as a MODSEQ."""
    return ModSeq((time_ns << SHIFT) // 1_000_000_000)


def first(*paths: Path) -> ModSeq:
    """Above all MODSEQs of before: what these remember of the time counts where the clock went back."""
    stamps = map(files.stamp, paths)
    return at(max(time.time_ns(), *(stamp[0] for stamp in stamps if stamp is not None)))

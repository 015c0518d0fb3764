"""How full the directory of the journals is: what nobody has shipped yet, this worker's and others'."""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from usage.journal.files import JOURNAL_SUFFIX

_LOOK_INTERVAL_S = 1.0
_ALARM_SHARE = 0.8

logger = logging.getLogger(__name__)


class Directory:
    """How much the journals of the directory take. Only the journal's thread looks; the rest reads what it saw.

    Files count whole until the shipper has deleted them: a living worker's file that has been shipped still counts.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._looked_at_s = 0.0
        self.size_bytes = 0
        self.alarming = False
        self.full = False

    def look_due_in_s(self) -> float:
        """Return the seconds until the sum wants to be taken anew."""
        return max(0.0, self._looked_at_s + _LOOK_INTERVAL_S - time.monotonic())

    def look(self) -> None:
        """Add up the files, and log once when that becomes alarming, and once when it no longer is."""
        self._looked_at_s = time.monotonic()
        with suppress(OSError):  # then the last sum stands; writing will tell what is wrong with the directory
            self.size_bytes = _journal_bytes(self._path)
        self.full = self.size_bytes >= self._max_bytes
        alarming = self.size_bytes >= _ALARM_SHARE * self._max_bytes
        if alarming and not self.alarming:
            logger.error(
                "%d bytes of journals wait in %s to be shipped; at %d new calls are refused",
                self.size_bytes,
                self._path,
                self._max_bytes,
            )
        elif self.alarming and not alarming:
            logger.warning("the journals in %s are being shipped again", self._path)
        self.alarming = alarming


def _journal_bytes(directory: Path) -> int:
    total = 0
    with os.scandir(directory) as files:
        for file in files:
            if file.name.endswith(JOURNAL_SUFFIX):
                with suppress(FileNotFoundError):  # the shipper has deleted it meanwhile
                    total += file.stat().st_size
    return total

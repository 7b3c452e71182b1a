# SPDX-License-Identifier: BSD-3-Clause
"""Files that are replaced as a whole: whoever looks finds the old one or the new one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX, SUFFIX = ".logreg-c-", ".part"
# A part that nobody has written to for so long was left behind by a process that was killed.
STALE_SECONDS = 3600.0


@contextmanager
def written_whole(path: str | os.PathLike[str], *, rehearse: bool = False) -> Iterator[BinaryIO]:
    """Write to a new file next to `path` that replaces it when the block ends.

    If the block raises, the old file stays. The new one has the permissions of the old one. Several
    processes may write to one path: the last to finish wins. A rehearsal replaces nothing; it finds
    out that `path` cannot be written before an hour of work rather than after it.

    Raises OSError, with `path` as its filename, if the file cannot be written or replaced.
    """
    path = Path(path)
    place = Path(os.path.realpath(path))  # a link stays a link
    part = place.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
    try:
        mode = _mode_of(place)
        if rehearse:
            _remove_stale_parts(place.parent)
        try:
            # "x": O_EXCL, so that the file is ours alone, and no link that somebody has laid here
            with part.open("xb") as file:
                if mode not in {None, stat.S_IMODE(os.fstat(file.fileno()).st_mode)}:
                    part.chmod(mode)
                yield file
                file.flush()
                os.fsync(file.fileno())  # or the name might survive a power cut, and not the bytes
            if not rehearse:
                part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        if error.errno is None or error.filename not in {None, str(part), str(place)}:
            raise
        reason = error.strerror
        if not place.parent.is_dir():
            reason = f"the folder {str(path.parent)!r} does not exist"
        raise OSError(error.errno, reason, str(path)) from None


def _mode_of(place: Path) -> int | None:
    """Return the permissions of the file that will be replaced, None if there is none."""
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file, which could be replaced", str(place))
    return stat.S_IMODE(mode)


def _remove_stale_parts(folder: Path) -> None:
    oldest = time.time() - STALE_SECONDS
    for part in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):
            if part.lstat().st_mtime < oldest:
                part.unlink()

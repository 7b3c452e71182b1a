# SPDX-License-Identifier: BSD-3-Clause
"""Reading .npz files of unknown origin in memory that is in proportion to their size."""

from __future__ import annotations

import io
import math
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_stored(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of what `numpy.savez` wrote, which does not compress.

    No size that the file states is believed, and no pickle is loaded. A damaged file raises
    whatever zipfile, ast or NumPy raise.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            msg = "a member is compressed"
            raise ValueError(msg)
        if sum(member.file_size for member in members) > len(content):  # several share their bytes
            msg = "the members are longer than the file"
            raise ValueError(msg)
        return {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}


def _array(content: bytes) -> NDArray[Any]:
    """Read an .npy whose header states what is there."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        msg = "not a version that numpy.savez writes for plain arrays"
        raise ValueError(msg)
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    start = file.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - start:
        msg = "the header does not fit the values"
        raise ValueError(msg)
    values = np.ndarray(shape, dtype, content, start, order="F" if fortran else "C")
    return values.copy()

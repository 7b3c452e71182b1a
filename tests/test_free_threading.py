# SPDX-License-Identifier: BSD-3-Clause
"""Importing the package leaves the GIL off on a free-threaded Python."""

import sysconfig

import pytest
from oracle import run_python

pytestmark = pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL"
)


def test_the_gil_stays_off():
    code = "import sys, logreg_c; print(sys._is_gil_enabled())"
    assert run_python(code, PYTHONWARNINGS="error") == "False"

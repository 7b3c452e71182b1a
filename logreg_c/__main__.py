# SPDX-License-Identifier: BSD-3-Clause
"""`python -m logreg_c` is `logreg-c`."""

from ._cli import main

if __name__ == "__main__":
    main()

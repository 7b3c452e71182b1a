# SPDX-License-Identifier: BSD-3-Clause
"""What finds w and b: each solver takes an `Objective`."""

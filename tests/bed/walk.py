#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Translate a virtual address by a guest's page tables, read from its RAM: shows that a "truth" is one.
"""usage: walk.py RAM KCR3 LOW PAGING VA; prints the physical address, exit 3 when VA is not mapped."""
import os
import sys

PRESENT, LARGE = 1, 1 << 7
FRAME = 0x000FFFFFFFFFF000
FOUR_GIB = 1 << 32


def entry(ram, low, gpa):
    offset = gpa if gpa < low else low + gpa - FOUR_GIB
    return int.from_bytes(os.pread(ram, 8, offset), "little")


def walk(ram, low, table, levels, va):
    for level in range(levels, 0, -1):
        shift = 12 + 9 * (level - 1)
        pte = entry(ram, low, table + (va >> shift & 511) * 8)
        if not pte & PRESENT:
            return None
        if level == 1 or (level <= 3 and pte & LARGE):
            mask = (1 << shift) - 1
            return pte & FRAME & ~mask | va & mask
        table = pte & FRAME
    return None


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    ram = os.open(sys.argv[1], os.O_RDONLY)
    kcr3, low, va = (int(sys.argv[i], 16) for i in (2, 3, 5))
    levels = 5 if sys.argv[4] == "x86_64-5level" else 4
    gpa = walk(ram, low, kcr3, levels, va)
    if gpa is None:
        sys.exit(3)
    print(hex(gpa))


main()

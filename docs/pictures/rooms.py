#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""The rooms and their floors, from the table by which tests/check-includes.sh judges every #include."""
import re

from svg import Picture
from table import TOP

ROW, WIDE = 36, 150
PARSES = {"src/ram", "src/paging", "src/dump", "src/guest", "src/guest/SYSTEM", "src/search", "src/explain"}
POWER = {"agent/backing", "agent/watch", "agent/publish", "agent/tries", "agent/record", "agent/control", "agent"}


def floors():
    """{number: rooms}"""
    found = {}
    script = (TOP / "tests/check-includes.sh").read_text()
    table = re.search(r"declare -A floor=\((.*?)\n\)", script, re.S)[1]
    for room, floor in re.findall(r"\[([^\]]+)\]=(\d+)", table):
        found.setdefault(int(floor), []).append(room)
    return found


def kind(room):
    if room in PARSES or room == "agent/prober":
        return "bare"
    return "power" if room in POWER else "libs" if room.startswith("src") else "outside"


def name(room):
    return {"src": "src/memctx.h", "agent": "agent/*.c", "src/guest/SYSTEM": "guest/linux, windows"}.get(room, room)


rooms = floors()
top = max(rooms)
p = Picture("docs/pictures/rooms.py", "The rooms of the source and their floors", 720, ROW * (top + 1) + 90)
for floor, names in sorted(rooms.items()):
    y = 20 + ROW * (top - floor)
    p.text(40, y + 18, str(floor), "small")
    p.line(60, y + ROW - 4, 520, y + ROW - 4)
    for i, room in enumerate(sorted(names)):
        p.box(70 + (WIDE + 10) * i, y, WIDE, 26, kind(room), [name(room)])
p.text(40, 14, "floor", "small")
p.arrow((560, 30), (560, 20 + ROW * top + 20))
p.text(570, 20 + ROW * top // 2, "a file may include", "small", "start")
p.text(570, 36 + ROW * top // 2, "its own room", "small", "start")
p.text(570, 52 + ROW * top // 2, "and lower floors", "small", "start")
y = 20 + ROW * (top + 1) + 16
for i, (words, k) in enumerate((("reads guest bytes", "bare"), ("holds a power", "power"), ("library", "libs"), ("program", "outside"))):
    p.box(70 + 155 * i, y, 145, 26, k, [(words, "small")])
print(p, end="")

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""The states that others see of a domain, and the events that change them, from the table itself."""
from math import hypot

from svg import Picture
from table import Life

W, H = 150, 58
PLACES = {"waiting": (150, 300), "stale": (480, 90), "ready": (810, 300), "silent": (480, 510)}
KINDS = {"waiting": "outside", "ready": "bare", "stale": "power", "silent": "bad"}
WORDS = {
    "waiting": "no datum",
    "ready": "datum, the kernel runs",
    "stale": "datum, being checked",
    "silent": "complete, does not run",
}
# Where on its line a label stands, of what goes from the first to the second: lines that cross would hide each other.
AT = {("waiting", "ready"): 0.30, ("ready", "waiting"): 0.30, ("stale", "silent"): 0.30, ("silent", "stale"): 0.24}

life = Life()
changes = life.changes()
p = Picture("docs/pictures/states.py", "States of a domain and the events between them", 960, 720)


def lines_of(events, most=26):
    """The events as lines of at most so many characters"""
    lines = [""]
    for event in events:
        joined = f"{lines[-1]}, {event}" if lines[-1] else event
        if len(joined) > most:
            lines[-1] += ","
            lines.append(event)
        else:
            lines[-1] = joined
    return lines


def edge_of_box(x, y, ox, oy, dx, dy):
    """Where a line that passes the middle (x, y) of a box at the distance (ox, oy) leaves it in the direction (dx, dy)"""
    across = ((W / 2 if dx > 0 else -W / 2) - ox) / dx if abs(dx) > 0.01 else 1e9
    along = ((H / 2 if dy > 0 else -H / 2) - oy) / dy if abs(dy) > 0.01 else 1e9
    way = min(across, along)
    return x + ox + dx * way, y + oy + dy * way


def draw_change(a, b, events):
    (ax, ay), (bx, by) = PLACES[a], PLACES[b]
    length = hypot(bx - ax, by - ay)
    ux, uy = (bx - ax) / length, (by - ay) / length
    # Both directions have a line each, side by side.
    ox, oy = -uy * 10, ux * 10
    x1, y1 = (round(v) for v in edge_of_box(ax, ay, ox, oy, ux, uy))
    x2, y2 = (round(v) for v in edge_of_box(bx, by, ox, oy, -ux, -uy))
    p.arrow((x1, y1), (x2, y2))
    at = AT.get((a, b), 0.5)
    lines = lines_of(events)
    # On the outer side of its line
    cx, cy = x1 + (x2 - x1) * at + ox * 0.7, y1 + (y2 - y1) * at + oy * 1.3
    upright = abs(ux) < 0.1
    anchor = "middle" if abs(uy) < 0.1 else ("start" if ox > 0 else "end")
    if abs(uy) < 0.1:
        cy += 4 if oy < 0 else 9
        cy -= 13 * (len(lines) - 1) if oy < 0 else 0
    else:
        cy -= 13 * (len(lines) - 1) / 2 - 4
        cx += 0 if upright else (4 if ox > 0 else -4)
    for i, line in enumerate(lines):
        p.text(round(cx), round(cy) + 13 * i, line, "small", anchor)


for (a, b), events in changes.items():
    if a in PLACES and b in PLACES:
        draw_change(a, b, events)
for state, (x, y) in PLACES.items():
    p.box(x - W // 2, y - H // 2, W, H, KINDS[state], [(state, "title"), (WORDS[state], "small")])

# The two that any of the four can go to: the table must say so.
assert all(changes[s, "unknown"] == ["away"] for s in PLACES), "not every state goes to unknown by away alone"
assert all(changes[s, "unsupported"] == ["never"] for s in PLACES), "not every state goes to unsupported by never"
p.line(30, 590, 930, 590)
p.text(480, 585, "from each of the four", "small")
p.box(130, 640, W, H, "outside", [("unknown", "title"), ("libvirt is away", "small")])
p.arrow((190, 590), (190, 640))
p.text(183, 620, "away", "small", "end")
p.arrow((220, 640), (220, 590))
for i, to in enumerate(("stale", "waiting")):
    p.text(232, 612 + 14 * i, f"to {to}: " + ", ".join(changes["unknown", to]), "small", "start")
p.box(640, 640, W, H, "bad", [("unsupported", "title"), ("can never work, and why", "small")])
p.arrow((715, 590), (715, 640))
p.text(725, 620, "never", "small", "start")
print(p, end="")

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""One run of a guest as a time line. Only the events are made up: what follows from them is read from the table."""
from svg import Picture
from table import Life

# (what happens in the guest or in libvirt, the event that memctxd makes of it)
STORY = (
    ("virsh start", "start"),
    ("firmware, boot loader", "retry"),
    ("delay is over", "timer"),
    ("kernel is up", "found"),
    ("virsh reset", "reset"),
    ("delay is over", "timer"),
    ("kernel is up again", "found"),
    ("virsh suspend", "suspend"),
    ("virsh resume", "resume"),
    ("it is seen running", "found"),
    ("clocks stand, CPUs busy", "stands"),
    ("one second later", "timer"),
    ("virsh destroy", "stop"),
)
KINDS = {"waiting": "outside", "ready": "bare", "stale": "power", "silent": "bad"}
LEFT, STEP = 120, 86

life = Life()
p = Picture("docs/pictures/life.py", "A guest's life: events, states and the datum", 1300, 330)


def walk():
    """Yields (words, event, phase behind it, datum) for the story: the datum is (generation, live) or None."""
    phase, generation, datum = "new", 0, None
    renewed = True
    for words, event in STORY:
        cell = life.cells.get((phase, event)) or life.cells["any", event]
        assert cell.to != phase or cell.actions, f"{event} does nothing in {phase}"
        if "new-boot" in cell.actions or "new-kernel" in cell.actions:
            renewed = True
        if "withdraw" in cell.actions or "forget" in cell.actions:
            datum = None
        if "publish" in cell.actions:
            generation += renewed
            renewed = False
            datum = (generation, "")
        if "mark" in cell.actions:
            datum = (generation, 'live="no"')
        phase = "gone" if "forget" in cell.actions else cell.to
        yield words, event, phase, datum


def runs(values):
    """(first, behind the last, value) of equal neighbours"""
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[start]:
            yield start, i, values[start]
            start = i


def x_of(i):
    return LEFT + STEP * i


steps = list(walk())
for label, y in (("guest, libvirt", 60), ("event", 118), ("state", 172), ("phase", 218), ("datum", 268)):
    p.text(12, y, label, "title", "start")
for i, (words, event, _, _) in enumerate(steps):
    # Three heights, or neighbours would touch.
    p.text(x_of(i), 30 + 20 * (i % 3), words, "small", "start")
    p.line(x_of(i), 35 + 20 * (i % 3), x_of(i), 290)
    p.text(x_of(i) + 4, 118, event, "code", "start")
for first, end, state in runs([life.state.get(s[2], "gone") for s in steps]):
    if state != "gone":
        p.box(x_of(first), 150, STEP * (end - first), 34, KINDS[state], [(state, "title")])
for first, end, phase in runs([s[2] for s in steps]):
    if phase != "gone":
        p.text(x_of(first) + 4, 218, phase, "small", "start")
for first, end, datum in runs([s[3] for s in steps]):
    if datum is None:
        continue
    words = [(f"generation {datum[0]}", "small")] + ([(datum[1], "code")] if datum[1] else [])
    p.box(x_of(first), 244, STEP * (end - first), 38, "libs", words)
p.arrow((LEFT, 300), (1285, 300))
p.text(1285, 318, "time", "small", "end")
print(p, end="")

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Who holds what: the broker, its probers, and those around them."""
import re

from svg import Picture
from table import TOP


def capabilities():
    """Those of the unit, which the picture must not get wrong"""
    unit = (TOP / "agent/service/memctxd.service.in").read_text()
    return re.search(r"^AmbientCapabilities=(.*)$", unit, re.M)[1].split()


p = Picture("docs/pictures/broker.py", "Broker and prober: what each holds", 960, 430)
p.box(20, 40, 200, 56, "outside", [("libvirtd", "title"), ("a connection that may write", "small")])
p.box(20, 130, 200, 90, "outside",
      [("QEMU of each guest", "title"), ("/proc/PID/fd", "code"), ("/proc/PID/mem, pagemap", "code")])
p.box(330, 20, 300, 215, "power",
      [("broker: memctxd", "title"), "user memctxd", *[(c, "code") for c in capabilities()], "",
       "opens everything,", "parses nothing that a guest wrote"])
p.arrow((330, 68), (220, 68), both=True)
p.arrow((330, 175), (220, 175))
p.text(275, 167, "opens", "small")

p.box(330, 300, 300, 110, "bare",
      [("prober of one guest", "title"), "no capability, no file, no other process", "17 system calls",
       "parses everything,", "can open nothing"])
p.arrow((420, 235), (420, 300))
p.text(410, 272, "descriptors, read-only", "small", "end")
p.arrow((540, 300), (540, 235))
p.text(550, 272, "answers of fixed size, each field checked", "small", "start")

p.box(740, 30, 200, 72, "outside", [("readers", "title"), ("datum, RAM read-only", "small"), ("whom a rule names", "small")])
p.arrow((630, 66), (740, 66), both=True)
p.text(685, 58, "control.sock", "small")
p.box(740, 130, 200, 72, "outside", [("hook programs", "title"), ("datum on standard input", "small"), ("no capability", "small")])
p.arrow((630, 166), (740, 166))
print(p, end="")

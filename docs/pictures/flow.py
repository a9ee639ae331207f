#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""The way of the data, from the guest's RAM to whoever reads the datum."""
from svg import Picture

p = Picture("docs/pictures/flow.py", "From guest RAM through memctxd to its readers", 960, 390)

p.box(20, 130, 150, 190, "outside", [("QEMU", "title")], top=True)
p.box(35, 165, 120, 62, "", ["guest kernel", ("page tables", "small"), ("in guest RAM", "small")])
p.box(35, 240, 120, 66, "", ["guest RAM", ("memfd, file, huge", "small"), ("pages, or private", "small")])
p.arrow((95, 227), (95, 240))

p.box(20, 30, 150, 56, "outside", [("libvirt", "title"), ("events of domains", "small")])

p.box(265, 20, 390, 330, "frame", [("memctxd, on the host", "title")], top=True)
p.box(285, 55, 350, 100, "power",
      [("broker", "title"), "follows each domain, opens its RAM read-only,", "publishes the datum, serves readers",
       ("parses nothing that a guest wrote", "small")])
p.box(285, 215, 350, 115, "bare",
      [("prober, one process for each guest", "title"), "searches the RAM for the kernel,",
       "proves that it is one, and that it runs", ("has no privilege, can open nothing", "small"),
       ("not yet? again after 50 ms ... 2 s", "small")])
p.arrow((340, 155), (340, 215))
p.text(350, 189, "descriptors", "small", "start")
p.arrow((580, 215), (580, 155))
p.text(572, 189, "facts of the kernel", "small", "end")

p.arrow((170, 58), (225, 58), (225, 85), (285, 85))
p.text(217, 50, "start, reset", "small")
p.arrow((155, 272), (285, 272))
p.text(219, 264, "pread(2)", "small")

outlets = (
    (40, ["live domain metadata"], "virsh metadata, any libvirt client", "holds no virtual addresses"),
    (145, ["hook programs"], "a script that is called with each kernel", "datum on standard input"),
    (250, ["control.sock"], "memctx(1), programs with libmemctx(3)", "whom the configuration allows"),
)
for y, name, readers, note in outlets:
    p.box(735, y, 205, 44, "outside", [(name[0], "title")])
    p.text(837, y + 61, readers, "small")
    p.text(837, y + 76, note, "small")
p.arrow((635, 75), (735, 62))
p.arrow((635, 105), (685, 105), (685, 167), (735, 167))
p.arrow((635, 130), (665, 130), (665, 272), (735, 272), both=True)
p.text(480, 375, "The datum: where the root of the kernel's page tables is, which kernel it is, and how RAM is laid out.")
print(p, end="")

# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Boxes, arrows and words as SVG text. Plain Python: a picture must be made again wherever the tests run.

Coordinates are pixels. The same calls give the same bytes, so that a test can compare."""
from html import escape

STYLE = """
text { font: 13px sans-serif; fill: #1f2933; }
.title { font-weight: bold; }
.small { font-size: 11px; fill: #52606d; }
.code { font-family: monospace; font-size: 12px; }
rect { stroke: #52606d; stroke-width: 1.2; rx: 5px; fill: #fff; }
.paper { stroke: none; fill: #fff; rx: 0; }
.frame { fill: #f5f7fa; stroke-dasharray: 5 3; }
.libs { fill: #e3f0fb; }
.power { fill: #fdecc8; }
.bare { fill: #dff3e3; }
.outside { fill: #eceff2; }
.bad { fill: #f9dcdc; }
path, line { stroke: #364152; stroke-width: 1.4; fill: none; }
.thin { stroke: #9aa5b1; stroke-width: 1; }
"""

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<!-- Made by {maker}; change that, and run docs/pictures/draw.sh. -->
<style>{style}</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
<path d="M0 0 L10 5 L0 10 z" style="fill:#364152;stroke:none"/></marker></defs>
<rect class="paper" width="{w}" height="{h}"/>
"""


class Picture:
    def __init__(self, maker, label, w, h):
        self.parts = [HEAD.format(maker=maker, label=escape(label), style=STYLE, w=w, h=h)]

    def text(self, x, y, words, kind="", anchor="middle"):
        self.parts.append(f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def box(self, x, y, w, h, kind="", lines=(), top=False):
        """A box with lines of words in its middle, or from its top on. A line is words, or (words, kind)."""
        self.parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" class="{kind}"/>')
        step = 17
        at = y + 19 if top else y + (h - step * (len(lines) - 1)) / 2 + 4.5
        for line in lines:
            words, line_kind = line if isinstance(line, tuple) else (line, "")
            self.text(x + w / 2, at, words, line_kind)
            at += step

    def arrow(self, *points, both=False, kind=""):
        """A line through points (x, y) with a tip at its end."""
        d = "M" + " L".join(f"{x} {y}" for x, y in points)
        self.path(d, both, kind)

    def path(self, d, both=False, kind=""):
        start = ' marker-start="url(#tip)"' if both else ""
        self.parts.append(f'<path d="{d}" class="{kind}"{start} marker-end="url(#tip)"/>')

    def line(self, x1, y1, x2, y2, kind="thin"):
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>')

    def __str__(self):
        return "\n".join(self.parts) + "\n</svg>\n"

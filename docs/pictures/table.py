# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""The table of a domain's life, read from src/domain/transitions.md, which tests/test_docs.sh compares with the code."""
import re
from collections import namedtuple
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ROW = re.compile(r"\| (?:\*\*(?P<phase>\S+)\*\* \((?P<state>\w+)\)|any)? ?\| (?P<events>.+?) \| (?P<to>\S+) \| ?(?P<acts>.*?) ?\|$")
Cell = namedtuple("Cell", "to actions")


class Life:
    """state[phase] is what others see; cells[phase, event] where that leads. "any" holds what all phases do alike."""

    def __init__(self):
        self.state = {}
        self.cells = {}
        phase = "any"
        for line in (TOP / "src/domain/transitions.md").read_text().splitlines():
            row = ROW.match(line)
            if not row or row["events"] == "on":
                continue
            if row["phase"]:
                phase = row["phase"]
                self.state[phase] = row["state"]
            for event in row["events"].split(", "):
                to = phase if row["to"] == "stay" else row["to"]
                self.cells[phase, event] = Cell(to, row["acts"].split(", ") if row["acts"] else [])
        # Nothing leaves it but the end of the run, so it has no row.
        self.state.setdefault("unsupported", "unsupported")

    def changes(self):
        """{(state, state): events, in the order of the table} for all cells that lead to another state"""
        found = {}
        for (phase, event), cell in self.cells.items():
            pair = (self.state.get(phase), self.state.get(cell.to))
            if None not in pair and pair[0] != pair[1] and event not in found.setdefault(pair, []):
                found[pair].append(event)
        return found

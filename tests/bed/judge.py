#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Judge from outside whether the kernel of a datum is the one that runs.

  judge.py PID MONITOR POLLS STATEFILE

PID is the guest's QEMU, MONITOR a QMP socket of it, POLLS what metapoll writes of its domain, STATEFILE the agent's file of it,
which alone has virtual addresses. Each 20 ms every CPU is asked where its own page tables map the kernel's code. While a
datum stands that does not say live=, one of them must map it to where the datum's facts have it, at least once in 4 s: the
heartbeat sees within 1.5 s that a clock stands, and the datum may stand for 2 s from then on until it says so.
These are also 200 looks and 1.5 s of QEMU's CPU time, so that they are longer for a guest, or a judge, that gets no CPU.
The time of a paused guest does not count.

Ends at SIGTERM. Prints "wrong: ..." for each time that no CPU did, and last "LOOKS looks, MAPPED mapped, longest S s".
"""
import json
import os
import re
import signal
import socket
import sys
import time

INTERVAL_S = 0.02
GRACE_S = 4.0
GRACE_LOOKS = 200
GRACE_CPU_S = 1.5
IMAGE_MAP = 0xFFFFFFFF80000000  # of x86-64: where physical address 0 would be, but for phys_base
INTO_CODE = 0x10000  # aarch64 gives back what stands before


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()  # its greeting
        self.ask("qmp_capabilities")
        self.cpus = len(self.ask("query-cpus-fast"))

    def ask(self, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        self.socket.sendall(text.encode())
        while True:
            line = self.lines.readline()
            if not line:
                raise EOFError
            answer = json.loads(line)
            if "return" in answer or "error" in answer:
                return answer.get("return")

    def runs(self):
        return self.ask("query-status")["running"]

    def gpa(self, cpu, gva):
        said = self.ask("human-monitor-command", **{"command-line": "gva2gpa %#x" % gva, "cpu-index": cpu})
        found = re.match(r"gpa: (0x[0-9a-f]+)", said or "")
        return int(found.group(1), 16) if found else None

    def is_mapped(self, gva, gpa):
        return any(self.gpa(cpu, gva) == gpa for cpu in range(self.cpus))


class Datum:
    """What stands in the metadata now, and where its kernel is."""

    def __init__(self, polls, statefile):
        self.polls = open(polls, encoding="utf-8")
        self.statefile = statefile
        self.rest = ""
        self.text = "-"
        self.places = {}

    def key(self):
        """The kernel that is said to run; None: there is none."""
        *lines, self.rest = (self.rest + self.polls.read()).split("\n")
        for line in lines:
            if not line.endswith("\tmark"):
                self.text = line.split("\t", 2)[2]
        root = re.search(r"<memctx[^>]*>", self.text)
        if not root or " live=" in root.group(0):
            return None
        return root.group(0) + re.search(r"<kcr3>(.*?)</kcr3>", self.text).group(1)

    def place(self, key):
        """(gva, gpa) of its code; None: the agent's file is not there yet, or that of another kernel."""
        if key not in self.places:
            place = self.read_place(key[key.index(">") + 1:])
            if place is None:
                return None
            self.places[key] = place
        return self.places[key]

    def read_place(self, kcr3):
        try:
            with open(self.statefile, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            return None
        base = re.search(r"<kernel [^>]*base=[\"'](0x[0-9a-f]+)", text)
        offset = re.search(r" (phys_base|kimage_voffset)=[\"'](-?0x[0-9a-f]+)", text)
        if "<kcr3>%s</kcr3>" % kcr3 not in text or not base or not offset:
            return None
        gva = int(base.group(1), 16) + INTO_CODE
        number = int(offset.group(2), 16)
        gpa = gva - IMAGE_MAP + number if offset.group(1) == "phys_base" else gva - number
        return gva, gpa & (1 << 64) - 1


class Judge:
    def __init__(self, pid, monitor, datum):
        self.pid = pid
        self.monitor = monitor
        self.datum = datum
        self.key = None
        self.looks = self.mapped = self.unmapped = 0
        self.since = self.since_cpu = self.longest = 0.0
        self.told = False

    def cpu(self):
        with open("/proc/%s/stat" % self.pid, encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_over(self, lasted):
        return self.unmapped > GRACE_LOOKS and lasted > GRACE_S and self.cpu() - self.since_cpu > GRACE_CPU_S

    def begin(self, key):
        self.key = key
        self.unmapped = 0
        self.since = time.monotonic()
        self.since_cpu = self.cpu()
        self.told = False

    def look(self):
        key = self.datum.key()
        place = self.datum.place(key) if key else None
        if key != self.key or place is None or not self.monitor.runs():
            self.begin(key)
            return
        self.looks += 1
        if self.monitor.is_mapped(*place):
            self.mapped += 1
            self.begin(key)
            return
        self.unmapped += 1
        lasted = time.monotonic() - self.since
        self.longest = max(self.longest, lasted)
        if not self.told and self.is_over(lasted):
            self.told = True
            print("wrong: for %.1f s no CPU has mapped %#x to %#x, of %s" % (lasted, *place, key), flush=True)


def stop(_number, _frame):
    raise KeyboardInterrupt


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, stop)
    judge = None
    try:
        judge = Judge(sys.argv[1], Monitor(sys.argv[2]), Datum(sys.argv[3], sys.argv[4]))
        while True:
            judge.look()
            time.sleep(INTERVAL_S)
    except (KeyboardInterrupt, EOFError, ConnectionError, FileNotFoundError):
        pass
    if judge is not None:
        print("%d looks, %d mapped, longest %.2f s" % (judge.looks, judge.mapped, judge.longest), flush=True)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Have the only CPU of an x86-64 guest spin with interrupts off, or go on where it was.

  spin.py SOCKET FILE spin|release

SOCKET is that of QEMU's gdb stub. Where the CPU is in its kernel "cli; jmp ." is written; what stood there, and all
registers, are kept in FILE. The guest is paused for a moment, each time.
"""
import json
import socket
import sys
import time

SPIN = "faebfe"
RIP = slice(16 * 16, 17 * 16)  # in hex, of what "g" answers: behind 16 registers of 8 bytes


class Stub:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def packet(self):
        while self.file.read(1) != b"$":
            pass
        answer = b""
        while (byte := self.file.read(1)) != b"#":
            answer += byte
        self.file.read(2)
        self.socket.sendall(b"+")
        return answer.decode()

    def ask(self, text):
        self.socket.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) % 256))
        # It tells by itself, too, that the guest stands now.
        while (answer := self.packet())[:1] in ("S", "T"):
            pass
        return answer

    def leave(self):
        self.ask("D")
        self.socket.close()


def spin(path, kept):
    for _ in range(100):
        stub = Stub(path)
        registers = stub.ask("g")
        rip = int.from_bytes(bytes.fromhex(registers[RIP]), "little")
        if rip >> 63:
            code = stub.ask("m%x,3" % rip)
            stub.ask("M%x,3:%s" % (rip, SPIN))
            with open(kept, "w", encoding="utf-8") as file:
                json.dump([registers, rip, code], file)
            stub.leave()
            return
        stub.leave()
        time.sleep(0.1)
    sys.exit("the CPU is never in its kernel")


def release(path, kept):
    with open(kept, encoding="utf-8") as file:
        registers, rip, code = json.load(file)
    stub = Stub(path)
    stub.ask("M%x,3:%s" % (rip, code))
    stub.ask("G" + registers)
    stub.leave()


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in ("spin", "release"):
        sys.exit(__doc__)
    (spin if sys.argv[3] == "spin" else release)(sys.argv[1], sys.argv[2])


main()

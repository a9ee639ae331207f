#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Prints the load averages of a Linux guest once a second, read from its memory by libmemctx:
#
#   examples/load.py DOMAIN [TIMES]
#
# The kernel's own symbols say where they are. The guest goes on, and notices nothing.
import ctypes
import struct
import subprocess
import sys
import time


class Error(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("message", ctypes.c_char * 480)]


memctx = ctypes.CDLL("libmemctx.so.1")
memctx.memctx_reader_read_gva.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t,
                                          ctypes.POINTER(Error)]
error = Error()


def must(failed):
    if failed < 0:
        sys.exit("load.py: " + error.message.decode())


def address(domain, name):
    for line in subprocess.check_output(["memctx", "symbols", domain], text=True).splitlines():
        if line.split()[2] == name:
            return int(line.split()[0], 16)
    sys.exit(f"load.py: this kernel has no symbol {name}")


domain, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else -1
agent, reader, raw = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.create_string_buffer(24)
must(memctx.memctx_agent_connect(None, ctypes.byref(agent), ctypes.byref(error)))
must(memctx.memctx_reader_open(agent, domain.encode(), 30000, ctypes.byref(reader), ctypes.byref(error)))
avenrun = address(domain, "avenrun")
while times != 0:
    must(memctx.memctx_reader_read_gva(reader, avenrun, raw, 24, ctypes.byref(error)))
    print(*("%.2f" % (load / 2048) for load in struct.unpack("<3Q", raw.raw)), flush=True)
    times -= 1
    time.sleep(1 if times != 0 else 0)

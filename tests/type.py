#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Types keys into a program that runs on a terminal of its own, and prints what appears there.

  type.py COLUMNS PROMPT KEYS COMMAND [ARGUMENT]...

KEYS are sent when the program has written PROMPT ("": anything) on its terminal of so many columns. "\\t", "\\n" and "\\x03" in
them mean what they mean in C; at "\\p" typing stops until PROMPT was written once more. Exits as the program does, or
with 128 + the signal that ended it.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PATIENCE_S = 60  # for a machine that stands still


def read_some(fd, seconds):
    """What the program writes, b"" at its end, None if it writes nothing in this time."""
    if not select.select([fd], [], [], seconds)[0]:
        return None
    try:
        return os.read(fd, 65536)
    except OSError:  # Linux says so of a terminal that nobody has open any more
        return b""


def show(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def await_prompt(fd, prompt):
    seen = b""
    while not seen or prompt not in seen:
        data = read_some(fd, PATIENCE_S)
        if not data:
            return False
        show(data)
        seen += data
    return True


def main():
    columns, prompt, keys, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3], sys.argv[4:]
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what was started in the background
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    for part in keys.split("\\p"):
        if not await_prompt(fd, prompt):
            break
        os.write(fd, part.encode().decode("unicode_escape").encode("latin-1"))
    end = time.monotonic() + PATIENCE_S
    data = None
    while data != b"" and time.monotonic() < end:
        data = read_some(fd, 1)
        show(data or b"")
    if data != b"":
        os.kill(pid, 9)
    status = os.waitpid(pid, 0)[1]
    sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


main()

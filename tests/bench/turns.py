#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""How long commands take, whole processes, in turns: turns.py [--status N] [--before COMMAND] ROUNDS NAME=COMMAND...

Prints "NAME<tab>MILLISECONDS<tab>OF_CPU" for each run. A command is words with blanks between; what it prints is
dropped. Each is run once before the rounds, so that none pays alone for reading its program from disk.
  --status N        all must end with it, but for those with lower-case names: they are there to compare with, and must
                    end with 0
  --before COMMAND  is run before each
"""
import argparse
import os
import sys
import time

NOTHING = os.open(os.devnull, os.O_RDWR)


def run(words):
    """Returns (exit status, milliseconds, milliseconds of CPU)."""
    actions = [(os.POSIX_SPAWN_DUP2, NOTHING, fd) for fd in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    elapsed = time.perf_counter() - start
    return os.waitstatus_to_exitcode(status), elapsed * 1e3, (used.ru_utime + used.ru_stime) * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--status', type=int, default=0)
    parser.add_argument('--before', default='')
    parser.add_argument('rounds', type=int)
    parser.add_argument('commands', nargs='+')
    args = parser.parse_args()
    commands = [command.split('=', 1) for command in args.commands]
    for turn in range(-1, args.rounds):
        for name, command in commands:
            if args.before:
                run(args.before.split())
            status, ms, cpu = run(command.split())
            if status != (0 if name.islower() else args.status):
                sys.exit('turns: %s ended with status %d' % (command, status))
            if turn >= 0:
                print('%s\t%.3f\t%.3f' % (name, ms, cpu))


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""What a process and all below it use: usage.py PID prints "CPU_MILLISECONDS PSS_KIB OWN_KIB".

CPU counts children that ended, too. PSS shares out what several processes map, so that it depends on who else maps
libvirt's library; OWN is the part of it that is no file. Reading them needs root, or the processes' user.
"""
import glob
import os
import sys
import time

TICKS = os.sysconf('SC_CLK_TCK')


def stat_of(pid):
    with open('/proc/%s/stat' % pid) as file:
        return file.read().rpartition(')')[2].split()


def tree(top):
    """The process and its descendants, each with the fields of its stat from the state on."""
    stats = {}
    for path in glob.glob('/proc/[0-9]*'):
        try:
            stats[int(os.path.basename(path))] = stat_of(os.path.basename(path))
        except OSError:
            pass
    found = [top]
    for pid in found:
        found += [child for child, stat in stats.items() if int(stat[1]) == pid]
    return {pid: stats[pid] for pid in found if pid in stats}


def cpu_ms(pid, stat):
    """To the nanosecond by the process' own clock; what its ended children used is counted in ticks."""
    ended = (int(stat[13]) + int(stat[14])) * 1e3 / TICKS
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e6 + ended


def memory_kib(pid):
    with open('/proc/%d/smaps_rollup' % pid) as file:
        sizes = {line.split()[0]: int(line.split()[1]) for line in file if line.endswith('kB\n')}
    return sizes['Pss:'], sizes['Pss_Anon:']


def main():
    cpu = pss = own = 0
    for pid, stat in tree(int(sys.argv[1])).items():
        try:
            cpu += cpu_ms(pid, stat)
            memory = memory_kib(pid)
            pss, own = pss + memory[0], own + memory[1]
        except OSError as error:
            if pid == int(sys.argv[1]):
                sys.exit('usage: %s' % error)
    print('%.3f %d %d' % (cpu, pss, own))


main()

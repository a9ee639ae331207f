#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Makes of samples a table and JSON: table.py SAMPLES [JSON_FILE]

A line of SAMPLES is "ROW WHAT UNIT WHO VALUE", tabs between, in the order in which it was measured, or
"# KEY VALUE", a remark. WHO is A, the build that is measured; B, another one; or the name of a reference. Less is
better in each unit.

A median is printed with its quartiles. A ratio is that of two medians; behind it is the interval in which it lies with
95 %, by drawing the rounds that were measured again and again (the n-th of A stays with the n-th of the other, so that
what disturbed both cancels out). A star is at a ratio whose interval leaves out 1. Fewer than 6 rounds tell no
interval.
"""
import json
import random
import statistics
import sys

DRAWS = 2000
ROUNDS_MIN = 6


def read(path):
    """Returns remarks, and {(row, what, unit): {who: values}} in the order of the file."""
    remarks, table = {}, {}
    with open(path) as file:
        for line in file:
            fields = line.rstrip('\n').split('\t')
            if fields[0] == '#':
                remarks[fields[1]] = fields[2]
            else:
                table.setdefault(tuple(fields[:3]), {}).setdefault(fields[3], []).append(float(fields[4]))
    return remarks, table


def quantile(values, part):
    ordered = sorted(values)
    at = part * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def summary(values):
    return {'n': len(values), 'median': statistics.median(values), 'q1': quantile(values, 0.25),
            'q3': quantile(values, 0.75), 'min': min(values), 'max': max(values)}


def draw(rng, ours, theirs):
    """One draw of as many rounds as there were. Rounds that were lost leave no pairs: then each side by itself."""
    pick = [rng.randrange(len(ours)) for _ in ours]
    other = pick if len(ours) == len(theirs) else [rng.randrange(len(theirs)) for _ in theirs]
    return statistics.median(ours[i] for i in pick), statistics.median(theirs[i] for i in other)


def ratio(ours, theirs):
    """None when the other is nothing."""
    if statistics.median(theirs) <= 0:
        return None
    result = {'ratio': statistics.median(ours) / statistics.median(theirs)}
    if min(len(ours), len(theirs)) >= ROUNDS_MIN:
        rng = random.Random(1)
        drawn = [a / b for a, b in (draw(rng, ours, theirs) for _ in range(DRAWS)) if b > 0]
        result.update(low=quantile(drawn, 0.025), high=quantile(drawn, 0.975))
    return result


def number(value):
    return '%.0f' % value if abs(value) >= 1000 else '%.3g' % value


def spread(values):
    s = summary(values)
    if s['n'] == 1:
        return number(s['median'])
    return '%s (%s..%s)' % (number(s['median']), number(s['q1']), number(s['q3']))


def against(r):
    if r is None:
        return ''
    if 'low' not in r:
        return '%.2f' % r['ratio']
    star = ' *' if not r['low'] <= 1 <= r['high'] else ''
    return '%.2f (%.2f..%.2f)%s' % (r['ratio'], r['low'], r['high'], star)


def rows(table):
    """The cells of each line of the table, and the same for JSON."""
    for (row, what, unit), values in table.items():
        ours = values.get('A', [])
        others = [who for who in values if who != 'A']
        others.sort(key=lambda who: who != 'B')
        ratios = {who: ratio(ours, values[who]) for who in others if ours}
        cells = [[row, what, unit, spread(ours) if ours else '-', '', '', '']]
        for i, who in enumerate(others):
            if i:
                cells.append([''] * 7)
            cells[-1][4:] = [who, spread(values[who]), against(ratios.get(who))]
        yield cells, {'row': row, 'what': what, 'unit': unit, 'samples': values,
                      'summary': {who: summary(v) for who, v in values.items()}, 'ratios': ratios}


def print_table(lines):
    head = ['row', 'what', 'unit', 'A', 'beside', 'its median', 'A / it']
    lines = [head] + lines
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print('  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def main():
    remarks, table = read(sys.argv[1])
    lines, entries = [], []
    for cells, entry in rows(table):
        lines += cells
        entries.append(entry)
    for key, value in remarks.items():
        print('%s: %s' % (key, value))
    print()
    print_table(lines)
    if len(sys.argv) > 2:
        with open(sys.argv[2], 'w') as file:
            json.dump({'remarks': remarks, 'rows': entries}, file, indent=1)
            file.write('\n')


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Do the tests notice when src/ is wrong? Changes one random place of it at a time and runs them.

A mutant is killed by the first test that fails or hangs: those of its room, then all, then all with sanitizers, then
all under valgrind. What survives wants a test, or a word why nothing can tell it from the original.

The source is copied, so that the tree stays as it is. The same seed picks the same places of the same source."""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
# They look at the source rather than at what it does.
READERS = ('tests/check-includes.sh', 'tests/test_docs.sh', 'tests/test_new_guest.sh')
# A mutant may do anything, as root for all one knows: it sees no processes but its own, which end with it.
CAGE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
# A test that takes so many times as long as before, and this long, hangs.
SLOWER, HANGS_S = 10, 60

SWAPS = {'==': '!=', '!=': '==', '<': '<=', '<=': '<', '>': '>=', '>=': '>', '&&': '||', '||': '&&', '+': '-',
         '-': '+', '+=': '-=', '-=': '+=', '<<': '>>', '>>': '<<', '&': '|', '|': '&', 'true': 'false', 'false': 'true'}
# Binary operators stand between blanks: clang-format sees to that.
OPERATOR = re.compile(r'(?<=[\w\])] )(==|!=|<=|>=|<<|>>|&&|\|\||\+=|-=|[<>+\-&|])(?= )|\b(true|false)\b')
NUMBER = re.compile(r'(?<![\w.\[-])(0x[0-9a-fA-F]+|\d+)(?=u?\b)')
STATEMENT = re.compile(r'    +(?!return\b|static\b|const\b|struct\b|enum\b|unsigned\b|if\b|for\b|while\b|do\b|else\b|MEMCTX)'
                       r'[\w*(][\w>.*()\[\]-]*(\(.*\)| [-+|&]?= [^{]*|\+\+|--|);$')
UNSEEN = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)


# ---- places ----

class Mutant:
    """One place of one file, and what it becomes."""

    def __init__(self, path, number, kind, old, new):
        self.path, self.number, self.kind, self.old, self.new = path, number, kind, old, new

    def __str__(self):
        return f'{self.path}:{self.number} [{self.kind}]'


def blank_out(text):
    """The text with comments, strings and directives turned into blanks, line by line the same."""
    return UNSEEN.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)


def mutants_of_line(path, number, line, seen):
    """All that could be done to one line; `seen` is what the compiler sees of it."""
    def at(start, end, word, kind):
        return Mutant(path, number, kind, line, line[:start] + word + line[end:])

    for m in OPERATOR.finditer(seen):
        yield at(m.start(), m.end(), SWAPS[m[0]], f'{m[0]} -> {SWAPS[m[0]]}')
    for m in NUMBER.finditer(seen):
        more = int(m[0], 8 if re.match('0[0-7]', m[0]) else 0) + 1
        yield at(m.start(), m.end(), str(more), f'{m[0]} -> {more}')
    for m in re.finditer(r'!(?=[\w(])', seen):
        yield at(m.start(), m.end(), '', '! dropped')
    if STATEMENT.match(seen.rstrip()):
        yield Mutant(path, number, 'statement deleted', line, re.match(r' *', line)[0] + ';')


def mutants_of_file(path):
    text = (TOP / path).read_text()
    depth = 0
    for number, (line, seen) in enumerate(zip(text.split('\n'), blank_out(text).split('\n')), 1):
        # Outside of functions there are tables and declarations.
        if depth > 0 and 'assert(' not in seen:
            yield from mutants_of_line(path, number, line, seen)
        depth += seen.count('{') - seen.count('}')


def all_mutants():
    paths = sorted(p.relative_to(TOP) for p in (TOP / 'src').rglob('*.c'))
    return [m for path in paths for m in mutants_of_file(path)]


# ---- builds ----

def run(command, where, timeout_s=None, **variables):
    """0, the exit status, or None when it hangs, and is killed with all that it started."""
    child = subprocess.Popen(command, cwd=where, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.wait()
        return None


class Build:
    """A build of the copied source, and the tests in it."""

    def __init__(self, work, name, options, valgrind=False):
        self.dir, self.source, self.options = work / name, work / 'source', options
        self.valgrind, self.took_s = '1' if valgrind else '0', {}
        self.jobs = os.cpu_count()

    def configure(self):
        self.dir.mkdir()
        must(run([str(self.source / 'configure'), '-q', *self.options], self.dir), 'configure')

    def make(self, *targets):
        return run(['make', '-s', f'-j{self.jobs}', *targets], self.dir)

    def tests(self):
        """Programs and scripts that "make check" runs."""
        said = subprocess.run(['make', '-pnq'], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=False).stdout
        return [test for test in expand(said).split() if test not in READERS]

    def run_test(self, test):
        start = time.monotonic()
        words = [*CAGE, str(self.dir / 'run'), str(self.source / test) if test.endswith('.sh') else f'./{test}']
        limit_s = max(HANGS_S, SLOWER * self.took_s[test]) if test in self.took_s else None
        status = run(words, self.dir, limit_s, MEMCTX_VALGRIND=self.valgrind, TMPDIR=str(self.dir))
        return status, time.monotonic() - start

    def first_failure(self, tests):
        """The name of a test that fails or hangs, and how; None."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            runs = {pool.submit(self.run_test, test): test for test in tests}
            for done in concurrent.futures.as_completed(runs):
                status = done.result()[0]
                if status not in (0, 77):
                    pool.shutdown(cancel_futures=True)
                    return f'{runs[done]} ({"timeout" if status is None else status})'
        return None

    def measure(self, tests):
        """How long each test takes when nothing is wrong."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            runs = {test: pool.submit(self.run_test, test) for test in tests}
        for test, done in runs.items():
            status, took_s = done.result()
            must(0 if status == 77 else status, f'{test} without any mutant in {self.dir.name}')
            self.took_s[test] = took_s


def expand(database):
    """make's own expansion of the variables that TESTS is made of."""
    values = dict(re.findall(r'^(\w+) = (.*)$', database, re.M))
    text = values['TESTS']
    while re.search(r'\$\(\w+\)', text):
        text = re.sub(r'\$\((\w+)\)', lambda m: values.get(m[1], ''), text)
    return text


def must(status, what):
    if status != 0:
        sys.exit(f'mutate.py: {what} fails')


def copy_source(work):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    must(run(['bash', '-c', '. tests/bed/source.sh && copy_source "$1" "$2"', '-', str(TOP), str(work / 'source')], TOP),
         'copying the source')
    must(run(['autoreconf', '-fi'], work / 'source'), 'autoreconf')


# ---- the hunt ----

class Hunt:
    def __init__(self, work):
        copy_source(work)
        self.source = work / 'source'
        self.plain = Build(work, 'plain', [])
        self.sanitizers = Build(work, 'sanitizers', ['--enable-asan', '--enable-ubsan'])
        for build in (self.plain, self.sanitizers):
            build.configure()
            must(build.make('check', 'TESTS='), 'the build')
        self.valgrind = Build(work, 'plain', [], valgrind=True)
        self.tests = self.plain.tests()
        self.programs = [t for t in self.tests if not t.endswith('.sh')]
        self.plain.measure(self.tests)
        self.sanitizers.measure(self.programs)
        self.valgrind.measure(self.programs)

    def of_room(self, mutant):
        room = f'tests/unit/{mutant.path.parent.relative_to("src")}/'
        return [test for test in self.programs if test.startswith(room)]

    def judge(self, mutant):
        """What kills it; "" nothing; None: it does not compile."""
        room = self.of_room(mutant)
        if self.plain.make(f'{mutant.path.with_suffix(".lo")}', *room) != 0:
            return None
        killer = self.plain.first_failure(room)
        if killer is None:
            must(self.plain.make('check', 'TESTS='), 'the build')
            killer = self.plain.first_failure([test for test in self.tests if test not in room])
        if killer is None:
            must(self.sanitizers.make('check', 'TESTS='), 'the build with sanitizers')
            killer = self.sanitizers.first_failure(self.programs)
            killer = f'{killer} with sanitizers' if killer else None
        if killer is None:
            killer = self.valgrind.first_failure(self.programs)
            killer = f'{killer} under valgrind' if killer else None
        return killer or ''

    def try_one(self, mutant):
        path = self.source / mutant.path
        text = path.read_text()
        lines = text.split('\n')
        lines[mutant.number - 1] = mutant.new
        path.write_text('\n'.join(lines))
        try:
            return self.judge(mutant)
        finally:
            path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('seed', type=int)
    parser.add_argument('count', type=int, nargs='?', default=30)
    parser.add_argument('--work', type=pathlib.Path, default=TOP / 'build-mutants', help='made anew')
    parser.add_argument('--list', action='store_true', help='show the places only')
    options = parser.parse_args()
    mutants = all_mutants()
    print(f'# seed {options.seed}, {len(mutants)} candidates', flush=True)
    random.Random(options.seed).shuffle(mutants)
    if os.geteuid() != 0:
        CAGE[1:1] = ['--user', '--map-current-user']
    hunt = None if options.list else Hunt(options.work.resolve())
    tried = survivors = 0
    for mutant in mutants:
        if tried == options.count:
            break
        start = time.monotonic()
        killer = '-' if options.list else hunt.try_one(mutant)
        if killer is None:
            continue
        tried += 1
        survivors += killer == ''
        print(f'{tried:2} {mutant} {f"killed by {killer}" if killer else "SURVIVED"} ({time.monotonic() - start:.0f} s)\n'
              f'   - {mutant.old.strip()}\n   + {mutant.new.strip()}', flush=True)
    print(f'# {survivors} of {tried} survived')


main()

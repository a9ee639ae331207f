#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
"""Links in the documents lead somewhere, and every command that they show is in tests/examples.list.

    tests/check-docs.py              prints each fault; exits with 1 if there is one
    tests/check-docs.py --commands   prints the commands that the documents show

A row of tests/examples.list is COMMAND, HOW and PATTERN, with tabs between. HOW is one of
    run WORD=TEXT // ... tests/test_examples.sh runs it as it stands, each WORD replaced, against a guest that is built; it must
                         succeed, and what it prints must match the regular expression PATTERN (^$: nothing)
    FILE                 that test runs it in its own way: PATTERN is found in FILE
    not                  nothing runs it; PATTERN says why
"""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
MARKDOWN = [*sorted(TOP.glob("*.md")), *sorted(TOP.glob("docs/*.md")), TOP / "src/domain/transitions.md",
            TOP / "agent/tries/transitions.md"]
# HACKING.md shows what is run by hand while one works on memctxd.
SHOWN = [TOP / "README.md", TOP / "docs/glossary.md", TOP / "docs/promises.md", *sorted(TOP.glob("man/*.pod"))]
# Of a page's verbatim lines those are commands that begin with one of these.
PROGRAMS = set("""apt autoreconf bpftool cc crash curl drgn echo eval examples/demo.sh for head install journalctl ln make memctx
    memctxd mkdir packaging/build-deb.sh perf setpriv sleep systemctl systemd-sysusers tests/bed/install.sh virsh
    vol.py ./configure""".split())
INLINE = re.compile(r"`((?:memctx|memctxd|virsh) [^`]*)`")
faults = []


def fault(path, words):
    faults.append(f"{path.relative_to(TOP)}: {words}")


# ---- links ----------------------------------------------------------------------------------------------------

def anchors(text):
    """The anchors of a page's headings, as GitHub makes them"""
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def check_link(page, link):
    if re.match(r"https?://", link):
        return
    name, _, anchor = link.partition("#")
    target = page if not name else page.parent / name
    if not target.exists():
        fault(page, f"a link leads nowhere: {link}")
    elif anchor and anchor not in anchors(target.read_text()):
        fault(page, f"a link names no heading: {link}")


def check_links():
    for page in MARKDOWN:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            check_link(page, link)
        # A path of the source in backticks is as good as a link.
        for path in re.findall(r"`((?:src|agent|tests|docs|examples|man|hooks)/[\w./-]*)`", text):
            # NAME in it stands for any.
            if not list(TOP.glob(path.rstrip("/").replace("NAME", "*"))):
                fault(page, f"there is no {path}")


def check_pages():
    """What a manual page says of a file in the source, or of another page of ours"""
    ours = {page.stem for page in TOP.glob("man/*.pod")}
    for page in sorted(TOP.glob("man/*.pod")):
        text = page.read_text()
        for path in re.findall(r"F<((?:examples|tests)/[\w./-]*)>", text):
            if not (TOP / path).exists():
                fault(page, f"there is no {path}")
        for name in re.findall(r"\b((?:lib)?memctx[\w.-]*)\(\d\)", text):
            if name not in ours:
                fault(page, f"there is no page {name}")


# ---- commands -------------------------------------------------------------------------------------------------

def joined(lines):
    """Lines with a backslash, a quote that is still open or a loop that is not done go on in the next one."""
    whole = ""
    for line in lines:
        glue = "; " if line.strip() == "done" else " "
        whole = whole + glue + line.strip() if whole else line.strip()
        rest = whole.replace("\\'", "")
        if whole.endswith("\\"):
            whole = whole[:-1].rstrip()
        elif rest.count("'") % 2 == 0 and not re.search(r"(\||&&)$", whole) and not (
                re.search(r"\bdo$|\bfor .* do\b", whole) and not whole.endswith("done") and "done" not in whole):
            yield whole
            whole = ""
    if whole:
        yield whole


def tidy(command):
    """Without the comment behind it, and with single blanks"""
    return re.sub(r"\s+", " ", re.sub(r"\s{2,}# .*$", "", command)).strip()


def in_blocks(blocks):
    for block in blocks:
        lines = block.splitlines()
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        for command in joined(prompted or lines):
            if command.split(" ")[0] in PROGRAMS:
                yield tidy(command)


def commands_of(page):
    text = page.read_text()
    if page.suffix == ".md":
        fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
        yield from in_blocks(block for language, block in fenced if language in ("", "sh", "console"))
        # One of two words is the name of a command, but for those that take no more.
        for command in INLINE.findall(text):
            if len(command.split()) > 2 or command in ("memctx list", "memctx metrics"):
                yield tidy(command)
    else:
        verbatim = re.findall(r"(?:^[ \t]+\S.*\n)+", text, re.M)
        yield from in_blocks("\n".join(line.strip() for line in block.splitlines()) for block in verbatim)


def shown():
    """{command: the first page that shows it}"""
    found = {}
    for page in SHOWN:
        for command in commands_of(page):
            found.setdefault(command, page)
    return found


def check_row(page, row, command, how, pattern):
    word = how.split(" ")[0]
    if word == "run":
        try:
            re.compile(pattern)
        except re.error as error:
            fault(page, f"line {row}: {error}")
    elif word == "not":
        if not pattern:
            fault(page, f"line {row} does not say why nothing runs: {command}")
    elif not (TOP / how).exists():
        fault(page, f"line {row}: there is no {how}")
    elif not re.search(pattern, (TOP / how).read_text()):
        fault(page, f"line {row}: {how} has nothing like {pattern}, so it does not run: {command}")


def check_examples():
    page = TOP / "tests/examples.list"
    rows = {}
    for row, line in enumerate(page.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3:
            fault(page, f"line {row} has not three fields")
            continue
        rows[fields[0]] = row
        check_row(page, row, *fields)
    commands = shown()
    for command, where in commands.items():
        if command not in rows:
            fault(where, f"tests/examples.list does not say what runs: {command}")
    for command, row in rows.items():
        if command not in commands:
            fault(page, f"line {row}: no document shows: {command}")


if sys.argv[1:] == ["--commands"]:
    print("\n".join(shown()))
    sys.exit()
check_links()
check_pages()
check_examples()
for line in faults:
    print(line)
sys.exit(bool(faults))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* drgn: a Python script that makes a program of the guest's kernel. drgn reads
 * guest-physical memory through a function it is given, so that every layout
 * can be expressed (Program.add_memory_segment, set_linux_kernel_custom; drgn
 * 0.0.32 and later). */
#include "export/format.h"

#include <string.h>

#include "base/number.h"

/* Names of drgn.Architecture. */
const memctx_export_words memctx_export_drgn_words = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = "X86_64",
    [MEMCTX_PAGING_X86_64_5LEVEL] = "X86_64",
    [MEMCTX_EXPORT_AARCH64] = "AARCH64",
};

static const char head[] =
    "#!/usr/bin/env python3\n"
    "# A guest's kernel for drgn; made by memctx export --format drgn.\n"
    "#   python3 FILE [-s VMLINUX]... [SCRIPT [ARGUMENT]...]\n"
    "import os\n"
    "import runpy\n"
    "import sys\n"
    "\n"
    "import drgn\n"
    "\n";

/* MEMCTX_FDS and what else is looked at are set by memctx exec. Memory that was
 * plugged in or out meanwhile makes no other kernel, but another layout. */
static const char body[] =
    "\n"
    "\n"
    "def descriptors():\n"
    "    if PATHS is not None:\n"
    "        return [os.open(path, os.O_RDONLY) for path in PATHS]\n"
    "    if \"MEMCTX_FDS\" not in os.environ:\n"
    "        sys.exit(\"error: run this below memctx exec DOMAIN --\")\n"
    "    if os.environ.get(\"MEMCTX_GENERATION\", \"0\") != GENERATION:\n"
    "        sys.exit(\"error: another kernel runs by now: export again\")\n"
    "    layout = \" \".join(\"%#x:%#x:%d:%#x\" % extent for extent in EXTENTS)\n"
    "    if os.environ.get(\"MEMCTX_EXTENTS\") != layout:\n"
    "        sys.exit(\"error: RAM is laid out otherwise by now: \"\n"
    "                 \"export again\")\n"
    "    fds = os.environ[\"MEMCTX_FDS\"].split()\n"
    "    if \"-\" in fds:\n"
    "        sys.exit(\"error: this RAM has no descriptor: \"\n"
    "                 \"use memctx core and drgn -c\")\n"
    "    return [int(fd) for fd in fds]\n"
    "\n"
    "\n"
    "def reader(fd, start):\n"
    "    def read(address, count, offset, physical):\n"
    "        data = os.pread(fd, count, start + offset)\n"
    "        while len(data) < count:\n"
    "            more = os.pread(fd, count - len(data),\n"
    "                            start + offset + len(data))\n"
    "            if not more:\n"
    "                raise drgn.FaultError(\"the RAM ends\", address)\n"
    "            data += more\n"
    "        return data\n"
    "    return read\n"
    "\n"
    "\n"
    "def program():\n"
    "    prog = drgn.Program(\n"
    "        drgn.Platform(getattr(drgn.Architecture, ARCHITECTURE)))\n"
    "    if not hasattr(prog, \"set_linux_kernel_custom\"):\n"
    "        sys.exit(\"error: drgn is older than 0.0.32: \"\n"
    "                 \"use memctx core and drgn -c\")\n"
    "    fds = descriptors()\n"
    "    for gpa, size, backend, offset in EXTENTS:\n"
    "        prog.add_memory_segment(gpa, size, reader(fds[backend], offset),\n"
    "                                physical=True)\n"
    "    prog.set_linux_kernel_custom(VMCOREINFO, LIVE)\n"
    "    return prog\n"
    "\n"
    "\n"
    "def add_kallsyms(prog):\n"
    "    try:\n"
    "        from drgn.helpers.linux.kallsyms import load_vmlinux_kallsyms\n"
    "        prog.register_symbol_finder(\n"
    "            \"kallsyms\", load_vmlinux_kallsyms(prog), enable_index=-1)\n"
    "    except Exception as error:  # older drgn, or a kernel before 6.0\n"
    "        print(\"warning: no symbols:\", error, file=sys.stderr)\n"
    "\n"
    "\n"
    "def main():\n"
    "    words = sys.argv[1:]\n"
    "    symbols = []\n"
    "    while words[:1] == [\"-s\"] and len(words) > 1:\n"
    "        symbols.append(words[1])\n"
    "        del words[:2]\n"
    "    prog = program()\n"
    "    drgn.set_default_prog(prog)\n"
    "    if symbols:\n"
    "        prog.load_debug_info(symbols)\n"
    "    else:\n"
    "        add_kallsyms(prog)\n"
    "    if not words:\n"
    "        from drgn.cli import run_interactive\n"
    "        return run_interactive(prog)\n"
    "    sys.argv = words\n"
    "    sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))\n"
    "    runpy.run_path(words[0], init_globals={\"prog\": prog},\n"
    "                   run_name=\"__main__\")\n"
    "\n"
    "\n"
    "if __name__ == \"__main__\":\n"
    "    main()\n";

static void
add_paths(const struct memctx_export_subject *subject, struct memctx_text *text)
{
    if (subject->paths == NULL) {
        memctx_text_add(text, "PATHS = None  # of memctx exec\n");
        return;
    }
    memctx_text_add(text, "PATHS = [\n");
    for (size_t i = 0; i < subject->n_backends; i++) {
        memctx_text_add(text, "    ");
        memctx_text_add_python(text, subject->paths[i],
                               strlen(subject->paths[i]));
        memctx_text_add(text, ",\n");
    }
    memctx_text_add(text, "]\n");
}

static void
add_extents(const struct memctx_export_subject *subject,
            struct memctx_text *text)
{
    memctx_text_add(text, "EXTENTS = [  # gpa, size, backend, offset\n");
    for (size_t i = 0; i < subject->n_extents; i++) {
        const struct memctx_extent *e = &subject->extents[i];
        memctx_text_add(
            text, "    (" MEMCTX_HEX ", " MEMCTX_HEX ", %u, " MEMCTX_HEX "),\n",
            e->gpa, e->size, e->backend, e->offset);
    }
    memctx_text_add(text, "]\n");
}

/* One line of the text a line of the script. */
static void
add_vmcoreinfo(const struct memctx_export_subject *subject,
               struct memctx_text *text)
{
    const char *from = subject->vmcoreinfo;
    const char *end = from + subject->vmcoreinfo_len;
    memctx_text_add(text, "VMCOREINFO = (\n");
    while (from < end) {
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        size_t len = newline != NULL ? (size_t)(newline + 1 - from)
                                     : (size_t)(end - from);
        memctx_text_add(text, "    ");
        memctx_text_add_python(text, from, len);
        memctx_text_add(text, "\n");
        from += len;
    }
    memctx_text_add(text, ")\n");
}

/* LIVE: what is read may change. It may in a domain whose kernel stands still,
 * too, which can be reset or move again at any time. */
int
memctx_export_drgn(const struct memctx_export_subject *subject,
                   struct memctx_text *text, struct memctx_error *err)
{
    if (subject->has_own_memory && subject->paths == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "drgn wants descriptors of the RAM, and some "
                                "of this RAM is QEMU's own memory: use memctx "
                                "core and drgn -c");
    memctx_text_add(text, "%s", head);
    memctx_export_add_head(
        subject, "its vmlinux with debugging information (-s), for types",
        text);
    memctx_text_add(text, "ARCHITECTURE = \"%s\"\n",
                    memctx_export_drgn_words[subject->datum->kernel.paging]);
    memctx_text_add(text, "GENERATION = \"%u\"\n", subject->datum->generation);
    memctx_text_add(text, "LIVE = %s\n",
                    subject->domain != NULL ? "True" : "False");
    add_paths(subject, text);
    add_extents(subject, text);
    add_vmcoreinfo(subject, text);
    memctx_text_add(text, "%s", body);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How each tool is called: by what was exported, and on a core. */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "export/export.h"
#include "export/readers.h"
#include "memctx/runtool.h"
#include "text/text.h"

#define ROOT UINT64_C(0x6800000)

static const struct memctx_kernel kernel = {
    .os = MEMCTX_OS_LINUX,
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .kcr3 = ROOT,
    .linux_facts = {.has_kaslr_offset = true, .kaslr_offset = 0x18a00000},
};

static char *two_words[] = {"vmlinux 1", "-x", NULL};
static char *no_words[] = {NULL};

static struct runtool_guest
by_export(void)
{
    return (struct runtool_guest){
        .kernel = &kernel,
        .program = "/bin/tool",
        .export = "# a comment\ntool 'a b'\n",
        .path = "/proc/self/fd/9",
        .arguments = two_words,
    };
}

static struct runtool_guest
by_core(void)
{
    return (struct runtool_guest){
        .kernel = &kernel,
        .program = "/bin/tool",
        .core = "/tmp/it's/core",
        .arguments = two_words,
    };
}

/* Words are written "<a> <b>". */
static void
assert_command(const char *tool, const struct runtool_guest *guest,
               const char *wanted)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct runtool_words words = {.n = 0};
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
    assert_done(runtool_command(runtool_find(tool), guest, &words, &err), &err);
    for (size_t i = 0; i < words.n; i++)
        memctx_text_add(&text, "%s<%s>", i > 0 ? " " : "", words.word[i]);
    assert_null(words.word[words.n]);
    assert_done(memctx_text_take(&text, &got, &err), &err);
    assert_string_equal(got, wanted);
    runtool_words_deinit(&words);
}

static void
drgn_runs_a_script_or_reads_a_core(void **state)
{
    (void)state;
    struct runtool_guest guest = by_export();
    assert_command("drgn", &guest,
                   "<python3> </proc/self/fd/9> <vmlinux 1> <-x>");
    guest = by_core();
    assert_command("drgn", &guest,
                   "</bin/tool> <-c> </tmp/it's/core> <vmlinux 1> <-x>");
}

/* The shell gets arguments as arguments, whatever is in them. */
static void
an_exported_command_gets_arguments_at_its_end(void **state)
{
    (void)state;
    struct runtool_guest guest = by_export();
    assert_command("crash", &guest,
                   "<sh> <-c> <# a comment\ntool 'a b' \"$@\"> </bin/tool> "
                   "<vmlinux 1> <-x>");
    assert_command("memprocfs", &guest,
                   "<sh> <-c> <# a comment\ntool 'a b' \"$@\"> </bin/tool> "
                   "<vmlinux 1> <-x>");
    guest = by_core();
    assert_command("crash", &guest,
                   "</bin/tool> </tmp/it's/core> <vmlinux 1> <-x>");
    assert_command("makedumpfile", &guest,
                   "</bin/tool> </tmp/it's/core> <vmlinux 1> <-x>");
    assert_command("memprocfs", &guest,
                   "</bin/tool> <-device> </tmp/it's/core> <-dtb> <0x6800000> "
                   "<vmlinux 1> <-x>");
}

static void
gdb_is_told_how_far_the_kernel_moved(void **state)
{
    (void)state;
    static char *options[] = {"-batch", NULL};
    struct runtool_guest guest = by_core();
    assert_command("gdb", &guest,
                   "</bin/tool> <-c> </tmp/it's/core> <-ex> "
                   "<symbol-file 'vmlinux 1' -o 0x18a00000> <-x>");
    guest.arguments = options;
    assert_command("gdb", &guest, "</bin/tool> <-c> </tmp/it's/core> <-batch>");
    guest.arguments = no_words;
    assert_command("gdb", &guest, "</bin/tool> <-c> </tmp/it's/core>");
}

static void
volatility_gets_symbols_and_our_layer(void **state)
{
    (void)state;
    static char *plugin[] = {"linux.pslist", NULL};
    struct runtool_guest guest = by_export();
    guest.arguments = plugin;
    assert_command("volatility3", &guest,
                   "</bin/tool> <-c> </proc/self/fd/9> <linux.pslist>");
    guest.symbols = "/tmp/s";
    guest.plugins = "/share/v";
    assert_command("volatility3", &guest,
                   "</bin/tool> <-s> </tmp/s> <-p> </share/v> <-c> "
                   "</proc/self/fd/9> <linux.pslist>");
    guest.core = "/tmp/core";
    assert_command("volatility3", &guest,
                   "</bin/tool> <-s> </tmp/s> <-p> </share/v> <-f> "
                   "</tmp/core> <linux.pslist>");
}

static void
versions_are_in_order(void **state)
{
    (void)state;
    assert_int_equal(runtool_version("crash 8.0.4\nCopyright 2002"), 8000004);
    assert_int_equal(runtool_version("0.0.32+5.g1"), 32);
    assert_int_equal(runtool_version("9.1"), 9001000);
    assert_int_equal(runtool_version(""), 0);
    assert_int_equal(runtool_version("none"), 0);
    assert_int_equal(runtool_version("5"), 0);
    assert_true(runtool_version("0.1.0") > runtool_version("0.0.99"));
}

/* What is not read by export has to be read from a core, whose readers are in
 * another table. */
static void
each_tool_has_what_it_needs(void **state)
{
    (void)state;
    char names[96];
    char *rest = names;
    runtool_names(names, sizeof(names));
    assert_string_equal(
        names, "drgn, crash, gdb, makedumpfile, volatility3, memprocfs");
    for (char *name = strsep(&rest, ", "); name != NULL;
         name = strsep(&rest, ", ")) {
        if (name[0] == '\0')
            continue;
        const struct runtool *tool = runtool_find(name);
        assert_non_null(tool);
        assert_non_null(tool->by_core);
        assert_non_null(tool->programs[0]);
        assert_true(memctx_readers_take(name, &kernel));
        assert_true(tool->by_export == NULL ||
                    memctx_export_find(name) != NULL);
        assert_true(tool->since == 0 || tool->version_command != NULL);
    }
    assert_null(runtool_find("other"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drgn_runs_a_script_or_reads_a_core),
        cmocka_unit_test(an_exported_command_gets_arguments_at_its_end),
        cmocka_unit_test(gdb_is_told_how_far_the_kernel_moved),
        cmocka_unit_test(volatility_gets_symbols_and_our_layer),
        cmocka_unit_test(versions_are_in_order),
        cmocka_unit_test(each_tool_has_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

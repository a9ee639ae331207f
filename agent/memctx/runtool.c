/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A row a tool, and a function for each way in which it gets at the guest. */
#include "memctx/runtool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "text/text.h"

/* ---- words --------------------------------------------------------------- */

void
runtool_words_deinit(struct runtool_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->word[i]);
    free(words->word);
    *words = (struct runtool_words){.n = 0};
}

/* Takes the text over. */
static void
give(struct runtool_words *words, char *text)
{
    char **more = realloc(words->word, (words->n + 2) * sizeof(words->word[0]));
    if (more != NULL)
        words->word = more;
    if (more == NULL || text == NULL) {
        words->failed = true;
        free(text);
        return;
    }
    words->word[words->n++] = text;
    words->word[words->n] = NULL;
}

static void
add(struct runtool_words *words, const char *word)
{
    give(words, strdup(word));
}

static void
add_two(struct runtool_words *words, const char *option, const char *value)
{
    add(words, option);
    add(words, value);
}

static void
add_rest(struct runtool_words *words, char **arguments)
{
    for (size_t i = 0; arguments[i] != NULL; i++)
        add(words, arguments[i]);
}

static void
add_text(struct runtool_words *words, struct memctx_text *text)
{
    char *word = NULL;
    memctx_text_take(text, &word, NULL);
    give(words, word);
}

/* ---- tools --------------------------------------------------------------- */

/* What is exported is a command for a shell, to which arguments are added. Its
 * newline at the end would end it before them. */
static void
by_shell(const struct runtool_guest *guest, struct runtool_words *words)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    size_t len = strlen(guest->export);
    while (len > 0 && guest->export[len - 1] == '\n')
        len--;
    memctx_text_add_bytes(&text, guest->export, len);
    memctx_text_add(&text, " \"$@\"");
    add_two(words, "sh", "-c");
    add_text(words, &text);
    add(words, guest->program);
    add_rest(words, guest->arguments);
}

/* For getopt(3), which all of them use, a core may stand before options. */
static void
by_core_first(const struct runtool_guest *guest, struct runtool_words *words)
{
    add_two(words, guest->program, guest->core);
    add_rest(words, guest->arguments);
}

static void
drgn_by_export(const struct runtool_guest *guest, struct runtool_words *words)
{
    add_two(words, "python3", guest->path);
    add_rest(words, guest->arguments);
}

static void
drgn_by_core(const struct runtool_guest *guest, struct runtool_words *words)
{
    add(words, guest->program);
    add_two(words, "-c", guest->core);
    add_rest(words, guest->arguments);
}

/* gdb does not know that KASLR has moved the kernel: with a vmlinux that is
 * where it was linked it answers from the file, and says nothing. */
static void
add_moved_symbols(const struct runtool_guest *guest, const char *vmlinux,
                  struct runtool_words *words)
{
    const struct memctx_linux_facts *facts = &guest->kernel->linux_facts;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add(&text, "symbol-file ");
    memctx_text_add_shell(&text, vmlinux);
    memctx_text_add(&text, " -o " MEMCTX_HEX,
                    facts->has_kaslr_offset ? facts->kaslr_offset : 0);
    add(words, "-ex");
    add_text(words, &text);
}

static void
gdb_by_core(const struct runtool_guest *guest, struct runtool_words *words)
{
    char **rest = guest->arguments;
    add(words, guest->program);
    add_two(words, "-c", guest->core);
    if (rest[0] != NULL && rest[0][0] != '-')
        add_moved_symbols(guest, *rest++, words);
    add_rest(words, rest);
}

static void
begin_volatility(const struct runtool_guest *guest, struct runtool_words *words)
{
    add(words, guest->program);
    if (guest->symbols != NULL)
        add_two(words, "-s", guest->symbols);
    if (guest->plugins != NULL)
        add_two(words, "-p", guest->plugins);
}

static void
volatility_by_export(const struct runtool_guest *guest,
                     struct runtool_words *words)
{
    begin_volatility(guest, words);
    add_two(words, "-c", guest->path);
    add_rest(words, guest->arguments);
}

static void
volatility_by_core(const struct runtool_guest *guest,
                   struct runtool_words *words)
{
    begin_volatility(guest, words);
    add_two(words, "-f", guest->core);
    add_rest(words, guest->arguments);
}

static void
memprocfs_by_core(const struct runtool_guest *guest,
                  struct runtool_words *words)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    add(words, guest->program);
    add_two(words, "-device", guest->core);
    add(words, "-dtb");
    memctx_text_add(&text, MEMCTX_HEX, guest->kernel->kcr3);
    add_text(words, &text);
    add_rest(words, guest->arguments);
}

/* drgn's own program is not asked, since python3 runs what is exported. */
static const struct runtool tools[] = {
    {.name = "drgn",
     .programs = {"drgn"},
     .version_command =
         "python3 -c 'import drgn; print(drgn.__version__)' 2> /dev/null",
     .since = 32, /* 0.0.32: set_linux_kernel_custom() */
     .by_export = drgn_by_export,
     .by_core = drgn_by_core},
    {.name = "crash",
     .programs = {"crash"},
     .version_command = "crash --version 2> /dev/null",
     .since = 8000004, /* its commit 8858006; an older one dies, live */
     .older = "lists no tasks of kernels from 6.1.40 and 6.5 on; its log works",
     .by_export = by_shell,
     .by_core = by_core_first},
    {.name = "gdb", .programs = {"gdb"}, .by_core = gdb_by_core},
    {.name = "makedumpfile",
     .programs = {"makedumpfile"},
     .by_core = by_core_first},
    {.name = "volatility3",
     .programs = {"vol", "vol.py", "volatility3"},
     .wants_symbols = true,
     .by_export = volatility_by_export,
     .by_core = volatility_by_core},
    {.name = "memprocfs",
     .programs = {"memprocfs"},
     .by_export = by_shell,
     .by_core = memprocfs_by_core},
};

const struct runtool *
runtool_find(const char *name)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(tools); i++) {
        if (strcmp(tools[i].name, name) == 0)
            return &tools[i];
    }
    return NULL;
}

void
runtool_names(char *ret, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(tools) && len < size; i++)
        len += (size_t)snprintf(ret + len, size - len, "%s%s",
                                i > 0 ? ", " : "", tools[i].name);
}

/* Three parts of three digits. */
unsigned long
runtool_version(const char *text)
{
    unsigned long part[3] = {0};
    text += strcspn(text, "0123456789");
    if (sscanf(text, "%3lu.%3lu.%3lu", &part[0], &part[1], &part[2]) < 2)
        return 0;
    return (part[0] * 1000 + part[1]) * 1000 + part[2];
}

int
runtool_command(const struct runtool *tool, const struct runtool_guest *guest,
                struct runtool_words *ret, struct memctx_error *err)
{
    struct runtool_words words = {.n = 0};
    runtool_fn *way = guest->core != NULL ? tool->by_core : tool->by_export;
    way(guest, &words);
    if (words.failed) {
        runtool_words_deinit(&words);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    *ret = words;
    return 0;
}

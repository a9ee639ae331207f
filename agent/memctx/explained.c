/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens a guest, gives up all power, and lays its memory out for src/explain.
 */
#include "memctx/explained.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/symbols.h"
#include "explain/symboltext.h"
#include "memctx/symbolline.h"

void
explained_deinit(struct explained *explained)
{
    memctx_rammap_destroy(explained->map);
    explained->map = NULL;
    subject_deinit(&explained->subject);
    symbolcache_deinit(&explained->cache);
}

enum exit_code
explained_open(const struct invocation *in, const struct explained_from *from,
               struct explained *ret)
{
    const char *domain = in->words[0]; /* NULL: none was given */
    const char *conflict =
        ramfile_conflict(&from->file, domain, from->timeout_ms);
    if (conflict != NULL)
        return command_misused(in->command, "%s", conflict);
    return domain == NULL
               ? subject_open_file(&in->common, &from->file, &ret->subject)
               : subject_open_domain(&in->common, domain, from->timeout_ms,
                                     NULL, &ret->subject);
}

static bool
is_linux(const struct explained *explained)
{
    return explained->subject.datum.kernel.os == MEMCTX_OS_LINUX;
}

enum exit_code
explained_enter(struct explained *explained, const struct sandbox_fd *result)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct subject *subject = &explained->subject;
    enum exit_code code = subject_confine(subject, result);
    if (code == EXIT_DONE)
        code = subject_look(subject);
    if (code != EXIT_DONE)
        return code;
    if (memctx_rammap_create_charged(subject_map(subject), &explained->work,
                                     &explained->map, &err) < 0)
        return subject_fail(subject, &err);
    memctx_target_init(&explained->target, explained->map,
                       &subject->datum.kernel, subject->vmcoreinfo,
                       subject->facts.vmcoreinfo_len);
    return EXIT_DONE;
}

enum exit_code
explained_enter_linux(struct explained *explained,
                      const struct sandbox_fd *result)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code = explained_enter(explained, result);
    if (code != EXIT_DONE || is_linux(explained))
        return code;
    const struct memctx_kernel *kernel = &explained->subject.datum.kernel;
    const char *os = memctx_os_name(kernel->os);
    memctx_error_set(
        &err, MEMCTX_PERMANENT, "this command is for Linux, and this is %s %s",
        os != NULL ? os : "no system that memctx knows", kernel->version);
    return subject_fail(&explained->subject, &err);
}

enum exit_code
explained_open_linux(const struct invocation *in,
                     const struct explained_from *from, struct explained *ret)
{
    enum exit_code code = explained_open(in, from, ret);
    return code != EXIT_DONE ? code : explained_enter_linux(ret, NULL);
}

int
explained_begin(struct explained *explained, uint64_t steps,
                struct memctx_error *err)
{
    memctx_work_begin(&explained->work, steps, NULL, NULL);
    memctx_target_refresh(&explained->target);
    return subject_begin(&explained->subject, err);
}

int
explained_end(const struct explained *explained, int result,
              const struct memctx_error *why, struct memctx_error *err)
{
    return subject_end(&explained->subject, result, why, err);
}

static int
read_symbols(struct explained *explained, struct memctx_symbols **ret,
             struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_symbols *symbols = NULL;
    if (explained_begin(explained, MEMCTX_SYMBOLS_STEPS, err) < 0)
        return -1;
    int failed = memctx_symbols_read(&explained->target, &symbols, &why);
    if (explained_end(explained, failed, &why, err) < 0) {
        memctx_symbols_free(symbols);
        return -1;
    }
    *ret = symbols;
    return 0;
}

/* What is printed of them, and kept. */
static int
write_lines(const struct explained *explained,
            const struct memctx_symbols *symbols, struct memctx_text *text,
            struct memctx_error *err)
{
    const struct symbolcache *cache = &explained->cache;
    memctx_symboltext_add_all(text, symbols,
                              symbolline_digits(explained->target.kernel));
    if (text->failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return cache->fd < 0
               ? 0
               : symbolcache_store(cache, text->bytes, text->len_bytes, err);
}

int
explained_symbols(struct explained *explained, struct memctx_text *own,
                  struct explained_lines *ret, struct memctx_error *err)
{
    const struct symbolcache *cache = &explained->cache;
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    if (cache->text != NULL &&
        memctx_symboltext_is_plain(cache->text, cache->len_bytes)) {
        *ret = (struct explained_lines){cache->text, cache->len_bytes};
        return 0;
    }
    if (read_symbols(explained, &symbols, err) < 0 ||
        write_lines(explained, symbols, own, err) < 0)
        return -1;
    *ret = (struct explained_lines){own->bytes, own->len_bytes};
    return 0;
}

/* From its memory; what is kept is larger than what is read for one. */
static int
locate_symbol(struct explained *explained, const char *name, uint64_t *ret,
              struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, MEMCTX_SYMBOLS_STEPS, err) < 0)
        return -1;
    int result = memctx_symbols_locate(&explained->target, &name, 1, ret, &why);
    return explained_end(explained, result, &why, err);
}

static int
find_symbol(struct explained *explained, const struct invocation_place *place,
            uint64_t *ret, struct memctx_error *err)
{
    const struct symbolcache *cache = &explained->cache;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *name = strndup(place->symbol, place->symbol_len);
    if (name == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (cache->text != NULL &&
        memctx_symboltext_find(cache->text, cache->len_bytes, name, ret))
        return 0;
    if (locate_symbol(explained, name, ret, err) < 0)
        return -1;
    if (*ret == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "its kernel has no symbol '%s'", name);
    return 0;
}

int
explained_resolve(struct explained *explained,
                  const struct invocation_place *place, uint64_t *ret,
                  struct memctx_error *err)
{
    uint64_t symbol_gva = 0;
    if (place->symbol != NULL &&
        find_symbol(explained, place, &symbol_gva, err) < 0)
        return -1;
    if (!memctx_add(symbol_gva, place->address, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "an address beyond the last one");
    return 0;
}

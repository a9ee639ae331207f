/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through the compressed names from the first to the last, as the kernel
 * does; believes neither lengths nor indices. */
#include "guest/linux/kallsyms.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/paging.h"

#define TOKENS 256u
#define TOKEN_TABLE_MAX                                          \
    (4 * MEMCTX_KIB)        /* all texts; about 1 KiB in kernels \
                             */
#define NAME_MAX_BYTES 512u /* KSYM_NAME_LEN, with the type */
#define NAMES_MAX (16 * MEMCTX_MIB)
#define TEXTS_MAX (64 * MEMCTX_MIB) /* of all names, expanded */
#define CHUNK (16 * MEMCTX_KIB)
#define TEXT_A_STEP 128u /* of names; as long as reading a page */

/* A kernel's address space, and its tables in there. */
struct tables {
    const struct memctx_rammap *map;
    const struct memctx_kernel *kernel;
    const struct memctx_vmcoreinfo *info;
    uint32_t n_symbols;
    uint16_t token_at[TOKENS];
    char tokens[TOKEN_TABLE_MAX + 1]; /* ends with a NUL */
};

/* The names, as a stream. */
struct stream {
    const struct tables *tables;
    uint64_t gva;        /* of the next chunk */
    uint64_t left;       /* bytes that may be read yet */
    uint64_t texts_left; /* ... and written */
    size_t at;           /* in the chunk */
    size_t len;
    unsigned char chunk[CHUNK];
};

static uint64_t
address_of(const struct tables *t, enum memctx_vmcoreinfo_key key)
{
    return t->info->value[key];
}

static int
read_gva(const struct tables *t, uint64_t gva, void *buf, size_t len,
         struct memctx_error *err)
{
    return memctx_paging_read(t->map, t->kernel->paging, t->kernel->kcr3, gva,
                              buf, len, err);
}

static int
read_tokens(struct tables *t, struct memctx_error *err)
{
    unsigned char raw[2 * TOKENS];
    if (read_gva(t, address_of(t, MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX), raw,
                 sizeof(raw), err) < 0 ||
        read_gva(t, address_of(t, MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE), t->tokens,
                 TOKEN_TABLE_MAX, err) < 0)
        return memctx_error_prefix(err, "kallsyms tokens");
    for (size_t i = 0; i < TOKENS; i++) {
        t->token_at[i] = memctx_le16(raw + 2 * i);
        if (t->token_at[i] >= TOKEN_TABLE_MAX)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "kallsyms token %zu at %u, at most %u is "
                                    "sane",
                                    i, t->token_at[i],
                                    (unsigned)TOKEN_TABLE_MAX);
    }
    return 0;
}

static int
open_tables(struct tables *t, struct memctx_error *err)
{
    static const enum memctx_vmcoreinfo_key needed[] = {
        MEMCTX_VMCI_KALLSYMS_NAMES,       MEMCTX_VMCI_KALLSYMS_NUM_SYMS,
        MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE, MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX,
        MEMCTX_VMCI_KALLSYMS_OFFSETS,     MEMCTX_VMCI_STEXT};
    unsigned char raw[4];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(needed); i++) {
        if (!memctx_vmcoreinfo_has(t->info, needed[i]))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "VMCOREINFO of %s names no kallsyms tables",
                                    t->info->release);
    }
    if (read_gva(t, address_of(t, MEMCTX_VMCI_KALLSYMS_NUM_SYMS), raw,
                 sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "kallsyms_num_syms");
    t->n_symbols = memctx_le32(raw);
    if (t->n_symbols == 0 || t->n_symbols > MEMCTX_KALLSYMS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu32 " kernel symbols, at most %u are "
                                "sane",
                                t->n_symbols, MEMCTX_KALLSYMS_MAX);
    return read_tokens(t, err);
}

/* The end of the names may lie in the last mapped page: what of a chunk can be
 * read counts. */
static int
fill(struct stream *s, struct memctx_error *err)
{
    size_t len = (size_t)memctx_min(CHUNK - s->gva % MEMCTX_PAGE_SIZE, s->left);
    if (len > 0 && read_gva(s->tables, s->gva, s->chunk, len, NULL) < 0)
        len = (size_t)memctx_min(MEMCTX_PAGE_SIZE - s->gva % MEMCTX_PAGE_SIZE,
                                 s->left);
    if (len == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "more than %u MiB of kallsyms names",
                                (unsigned)(NAMES_MAX / MEMCTX_MIB));
    if (read_gva(s->tables, s->gva, s->chunk, len, err) < 0)
        return memctx_error_prefix(err, "kallsyms names");
    s->gva += len;
    s->left -= len;
    s->at = 0;
    s->len = len;
    return 0;
}

static int
next_byte(struct stream *s, unsigned *ret, struct memctx_error *err)
{
    if (s->at == s->len && fill(s, err) < 0)
        return -1;
    *ret = s->chunk[s->at++];
    return 0;
}

static bool
pay_text(const struct stream *s, size_t len)
{
    return memctx_work_charge(memctx_rammap_work(s->tables->map),
                              s->texts_left / TEXT_A_STEP -
                                  (s->texts_left - len) / TEXT_A_STEP);
}

/* The next name, without its type letter; cut where it is too long. */
static int
next_name(struct stream *s, char name[NAME_MAX_BYTES], struct memctx_error *err)
{
    char text[NAME_MAX_BYTES + 1];
    size_t used = 0;
    unsigned len;
    unsigned byte;
    if (next_byte(s, &len, err) < 0)
        return -1;
    if ((len & 0x80) != 0) {
        if (next_byte(s, &byte, err) < 0)
            return -1;
        len = (len & 0x7f) | byte << 7;
    }
    for (unsigned i = 0; i < len; i++) {
        if (next_byte(s, &byte, err) < 0)
            return -1;
        const char *token = s->tables->tokens + s->tables->token_at[byte];
        while (*token != '\0' && used < NAME_MAX_BYTES)
            text[used++] = *token++;
    }
    if (used > s->texts_left)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "more than %u MiB of kallsyms names",
                                (unsigned)(TEXTS_MAX / MEMCTX_MIB));
    if (!pay_text(s, used))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gave up among the kallsyms names");
    s->texts_left -= used;
    text[used] = '\0';
    memcpy(name, used > 0 ? text + 1 : text, used > 0 ? used : 1);
    name[NAME_MAX_BYTES - 1] = '\0';
    return 0;
}

/* The three ways to write an address in 32 bits. */
static uint64_t
from_base(const struct tables *t, uint64_t base, uint32_t index,
          uint32_t offset)
{
    (void)t;
    (void)index;
    return base + offset;
}

/* CONFIG_KALLSYMS_ABSOLUTE_PERCPU, on x86-64 until 6.15: what is not per CPU
 * is negative. */
static uint64_t
from_base_negative(const struct tables *t, uint64_t base, uint32_t index,
                   uint32_t offset)
{
    (void)t;
    (void)index;
    return base - 1 - (uint64_t)(int64_t)(int32_t)offset;
}

/* From the word itself, where there is no kallsyms_relative_base any more. */
static uint64_t
from_itself(const struct tables *t, uint64_t base, uint32_t index,
            uint32_t offset)
{
    (void)base;
    return address_of(t, MEMCTX_VMCI_KALLSYMS_OFFSETS) + 4 * (uint64_t)index +
           (uint64_t)(int64_t)(int32_t)offset;
}

typedef uint64_t way_fn(const struct tables *t, uint64_t base, uint32_t index,
                        uint32_t offset);

static int
read_offset(const struct tables *t, uint32_t index, uint32_t *ret,
            struct memctx_error *err)
{
    unsigned char raw[4];
    uint64_t gva =
        address_of(t, MEMCTX_VMCI_KALLSYMS_OFFSETS) + 4 * (uint64_t)index;
    if (read_gva(t, gva, raw, sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "kallsyms_offsets");
    *ret = memctx_le32(raw);
    return 0;
}

/* The address of one symbol, in the way in which _stext, another, is where
 * VMCOREINFO says. */
static int
resolve(const struct tables *t, uint32_t stext, uint32_t index, uint64_t *ret,
        struct memctx_error *err)
{
    static way_fn *const ways[] = {from_base_negative, from_base, from_itself};
    unsigned char raw[8] = {0};
    uint32_t of_stext;
    uint32_t offset;
    if (memctx_vmcoreinfo_has(t->info, MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE) &&
        read_gva(t, address_of(t, MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE), raw,
                 sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "kallsyms_relative_base");
    if (read_offset(t, stext, &of_stext, err) < 0 ||
        read_offset(t, index, &offset, err) < 0)
        return -1;
    uint64_t base = memctx_le64(raw);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ways); i++) {
        if (ways[i](t, base, stext, of_stext) !=
            address_of(t, MEMCTX_VMCI_STEXT))
            continue;
        *ret = ways[i](t, base, index, offset);
        return 0;
    }
    return memctx_error_set(err, MEMCTX_RETRY,
                            "kallsyms say of _stext %#" PRIx32
                            ", which leads nowhere near %#" PRIx64,
                            of_stext, address_of(t, MEMCTX_VMCI_STEXT));
}

static bool
is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

int
memctx_linux_kallsyms_find(const struct memctx_rammap *map,
                           const struct memctx_kernel *kernel,
                           const struct memctx_vmcoreinfo *info,
                           const char *const *names, uint64_t *ret,
                           struct memctx_error *err)
{
    struct tables t = {.map = map, .kernel = kernel, .info = info};
    if (open_tables(&t, err) < 0)
        return -1;
    struct stream s = {.tables = &t,
                       .gva = address_of(&t, MEMCTX_VMCI_KALLSYMS_NAMES),
                       .left = NAMES_MAX,
                       .texts_left = TEXTS_MAX};
    uint32_t stext = UINT32_MAX;
    uint32_t found = UINT32_MAX;
    char name[NAME_MAX_BYTES];
    for (uint32_t i = 0;
         i < t.n_symbols && (stext == UINT32_MAX || found == UINT32_MAX); i++) {
        if (next_name(&s, name, err) < 0)
            return -1;
        if (stext == UINT32_MAX && strcmp(name, "_stext") == 0)
            stext = i;
        if (found == UINT32_MAX && is_one_of(name, names))
            found = i;
    }
    if (stext == UINT32_MAX || found == UINT32_MAX)
        return memctx_error_set(
            err, MEMCTX_RETRY, "%" PRIu32 " kernel symbols, but no %s",
            t.n_symbols, stext == UINT32_MAX ? "_stext" : names[0]);
    return resolve(&t, stext, found, ret, err);
}

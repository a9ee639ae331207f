/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through the compressed names from the first to the last, as the kernel
 * does; believes neither lengths nor indices. */
#include "guest/linux/kallsyms.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "paging/paging.h"

#define NAMES_MAX (16 * MEMCTX_MIB)
#define TEXTS_MAX (64 * MEMCTX_MIB) /* of all names, expanded */
#define TEXT_A_STEP 128u            /* of names; as long as reading a page */
#define OFFSETS 1024u               /* that are read at once */

/* ---- tables -------------------------------------------------------------- */

int
memctx_kallsyms_tables(const struct memctx_vmcoreinfo *info,
                       struct memctx_kallsyms_tables *ret,
                       struct memctx_error *err)
{
    static const enum memctx_vmcoreinfo_key needed[] = {
        MEMCTX_VMCI_KALLSYMS_NAMES,       MEMCTX_VMCI_KALLSYMS_NUM_SYMS,
        MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE, MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX,
        MEMCTX_VMCI_KALLSYMS_OFFSETS,     MEMCTX_VMCI_STEXT};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(needed); i++) {
        if (!memctx_vmcoreinfo_has(info, needed[i]))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "VMCOREINFO of %s names no kallsyms tables",
                                    info->release);
    }
    *ret = (struct memctx_kallsyms_tables){
        .names = info->value[MEMCTX_VMCI_KALLSYMS_NAMES],
        .num_syms = info->value[MEMCTX_VMCI_KALLSYMS_NUM_SYMS],
        .token_table = info->value[MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE],
        .token_index = info->value[MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX],
        .offsets = info->value[MEMCTX_VMCI_KALLSYMS_OFFSETS],
        /* 0 where it is not among the keys */
        .relative_base = info->value[MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE],
        .stext = info->value[MEMCTX_VMCI_STEXT],
    };
    return 0;
}

static int
read_gva(const struct memctx_kallsyms *s, uint64_t gva, void *buf, size_t len,
         struct memctx_error *err)
{
    return memctx_paging_read(s->map, s->kernel->paging, s->kernel->kcr3, gva,
                              buf, len, err);
}

static unsigned
pointer_size(const struct memctx_kallsyms *s)
{
    return memctx_paging_format(s->kernel->paging)->arch->pointer_bytes;
}

/* An index that leads out of the table would have strlen() read behind it, so
 * each is checked once, here. */
static int
read_tokens(struct memctx_kallsyms *s, struct memctx_error *err)
{
    unsigned char raw[2 * MEMCTX_KALLSYMS_TOKENS];
    if (read_gva(s, s->tables.token_index, raw, sizeof(raw), err) < 0 ||
        read_gva(s, s->tables.token_table, s->tokens,
                 MEMCTX_KALLSYMS_TOKEN_TABLE, err) < 0)
        return memctx_error_prefix(err, "kallsyms tokens");
    for (size_t i = 0; i < MEMCTX_KALLSYMS_TOKENS; i++) {
        s->token_at[i] = memctx_le16(raw + 2 * i);
        if (s->token_at[i] >= MEMCTX_KALLSYMS_TOKEN_TABLE)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "kallsyms token %zu at %u, at most %u is "
                                    "sane",
                                    i, s->token_at[i],
                                    MEMCTX_KALLSYMS_TOKEN_TABLE);
        s->token_len[i] = (uint16_t)strlen(s->tokens + s->token_at[i]);
    }
    return 0;
}

static int
read_base(struct memctx_kallsyms *s, struct memctx_error *err)
{
    unsigned char raw[8] = {0};
    if (s->tables.relative_base != 0 &&
        read_gva(s, s->tables.relative_base, raw, pointer_size(s), err) < 0)
        return memctx_error_prefix(err, "kallsyms_relative_base");
    s->base = memctx_le64(raw);
    return 0;
}

int
memctx_kallsyms_init(struct memctx_kallsyms *ret,
                     const struct memctx_rammap *map,
                     const struct memctx_kernel *kernel,
                     const struct memctx_kallsyms_tables *tables,
                     struct memctx_error *err)
{
    unsigned char raw[4];
    ret->map = map;
    ret->kernel = kernel;
    ret->tables = *tables;
    /* The NUL that ends a token at the end of the table, and room for expand(),
     * which copies beyond a token. */
    memset(ret->tokens + MEMCTX_KALLSYMS_TOKEN_TABLE, 0, MEMCTX_KALLSYMS_SHORT);
    ret->next = 0;
    ret->gva = tables->names;
    ret->left = NAMES_MAX;
    ret->texts_left = TEXTS_MAX;
    ret->at = 0;
    ret->len = 0;
    ret->way = NULL;
    if (read_gva(ret, tables->num_syms, raw, sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "kallsyms_num_syms");
    ret->n = memctx_le32(raw);
    if (ret->n == 0 || ret->n > MEMCTX_KALLSYMS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu32 " kernel symbols, at most %u are "
                                "sane",
                                ret->n, MEMCTX_KALLSYMS_MAX);
    return read_tokens(ret, err) < 0 ? -1 : read_base(ret, err);
}

/* ---- names --------------------------------------------------------------- */

/* The end of the names may lie in the last mapped page: what of a chunk can be
 * read counts. */
static int
fill(struct memctx_kallsyms *s, struct memctx_error *err)
{
    size_t len = (size_t)memctx_min(
        MEMCTX_KALLSYMS_CHUNK - s->gva % MEMCTX_PAGE_SIZE, s->left);
    if (len > 0 && read_gva(s, s->gva, s->chunk, len, NULL) < 0)
        len = (size_t)memctx_min(MEMCTX_PAGE_SIZE - s->gva % MEMCTX_PAGE_SIZE,
                                 s->left);
    if (len == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "more than %u MiB of kallsyms names",
                                (unsigned)(NAMES_MAX / MEMCTX_MIB));
    if (read_gva(s, s->gva, s->chunk, len, err) < 0)
        return memctx_error_prefix(err, "kallsyms names");
    s->gva += len;
    s->left -= len;
    s->at = 0;
    s->len = len;
    return 0;
}

static int
next_byte(struct memctx_kallsyms *s, unsigned *ret, struct memctx_error *err)
{
    if (s->at == s->len && fill(s, err) < 0)
        return -1;
    *ret = s->chunk[s->at++];
    return 0;
}

/* Seven bits a byte, the low ones first. The kernel's own reader takes two
 * bytes at most, so a third one is never asked for (kernel/kallsyms.c). */
static int
next_length(struct memctx_kallsyms *s, unsigned *ret, struct memctx_error *err)
{
    unsigned high;
    if (next_byte(s, ret, err) < 0)
        return -1;
    if ((*ret & 0x80) == 0)
        return 0;
    if (next_byte(s, &high, err) < 0)
        return -1;
    *ret = (*ret & 0x7f) | high << 7;
    return 0;
}

/* A byte of the table may expand to hundreds: a hostile table of a few MiB
 * would cost minutes. So what comes out is limited, and charged, and not what
 * goes in. */
static int
pay_text(struct memctx_kallsyms *s, size_t len, struct memctx_error *err)
{
    if (len > s->texts_left)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "more than %u MiB of kallsyms names",
                                (unsigned)(TEXTS_MAX / MEMCTX_MIB));
    uint64_t steps =
        s->texts_left / TEXT_A_STEP - (s->texts_left - len) / TEXT_A_STEP;
    if (!memctx_work_charge(memctx_rammap_work(s->map), steps))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gave up among the kallsyms names");
    s->texts_left -= len;
    return 0;
}

/* Write the texts of n tokens behind the `used` characters of a text. Returns
 * how many it has then. Most tokens are short, and so many bytes are copied
 * whatever their length, which takes one instruction. */
static size_t
expand(const struct memctx_kallsyms *s, const unsigned char *tokens, size_t n,
       char text[MEMCTX_KALLSYMS_TEXT_MAX], size_t used)
{
    for (size_t i = 0; i < n; i++) {
        const char *token = s->tokens + s->token_at[tokens[i]];
        size_t len = s->token_len[tokens[i]];
        size_t room = MEMCTX_KALLSYMS_TEXT_MAX - 1 - used;
        if (len <= MEMCTX_KALLSYMS_SHORT && room >= MEMCTX_KALLSYMS_SHORT) {
            memcpy(text + used, token, MEMCTX_KALLSYMS_SHORT);
        } else {
            len = (size_t)memctx_min(len, room);
            memcpy(text + used, token, len);
        }
        used += len;
    }
    return used;
}

int
memctx_kallsyms_next(struct memctx_kallsyms *s,
                     char text[MEMCTX_KALLSYMS_TEXT_MAX],
                     struct memctx_error *err)
{
    size_t used = 0;
    unsigned len;
    if (s->next == s->n)
        return 0;
    if (next_length(s, &len, err) < 0)
        return -1;
    /* Bounded: each turn but the first begins another chunk. */
    while (len > 0) {
        if (s->at == s->len && fill(s, err) < 0)
            return -1;
        unsigned part = (unsigned)memctx_min(len, s->len - s->at);
        used = expand(s, s->chunk + s->at, part, text, used);
        s->at += part;
        len -= part;
    }
    text[used] = '\0';
    s->next++;
    return pay_text(s, used, err) < 0 ? -1 : 1;
}

/* ---- addresses ----------------------------------------------------------- */

/* The three ways to write an address in 32 bits. */
static uint64_t
from_base(const struct memctx_kallsyms_tables *tables, uint64_t base,
          uint32_t index, uint32_t offset)
{
    (void)tables;
    (void)index;
    return base + offset;
}

/* CONFIG_KALLSYMS_ABSOLUTE_PERCPU, on x86-64 until 6.15: what is per CPU, or
 * absolute, is positive and the address itself; all else is negative. */
static uint64_t
from_base_negative(const struct memctx_kallsyms_tables *tables, uint64_t base,
                   uint32_t index, uint32_t offset)
{
    int64_t number = (int32_t)offset;
    (void)tables;
    (void)index;
    return number >= 0 ? (uint64_t)number : base - 1 - (uint64_t)number;
}

/* From the word itself, where there is no kallsyms_relative_base any more. */
static uint64_t
from_itself(const struct memctx_kallsyms_tables *tables, uint64_t base,
            uint32_t index, uint32_t offset)
{
    (void)base;
    return tables->offsets + 4 * (uint64_t)index +
           (uint64_t)(int64_t)(int32_t)offset;
}

/* An address has as many bits as a pointer. */
static uint64_t
address(const struct memctx_kallsyms *s, memctx_kallsyms_way_fn *way,
        uint32_t index, const unsigned char *offset)
{
    uint64_t ret = way(&s->tables, s->base, index, memctx_le32(offset));
    return pointer_size(s) == 8 ? ret : (uint32_t)ret;
}

static int
read_offsets(const struct memctx_kallsyms *s, uint32_t index, uint32_t n,
             unsigned char *ret, struct memctx_error *err)
{
    if (read_gva(s, s->tables.offsets + 4 * (uint64_t)index, ret, 4 * (size_t)n,
                 err) < 0)
        return memctx_error_prefix(err, "kallsyms_offsets");
    return 0;
}

int
memctx_kallsyms_learn(struct memctx_kallsyms *s, uint32_t stext,
                      struct memctx_error *err)
{
    static memctx_kallsyms_way_fn *const ways[] = {from_base_negative,
                                                   from_base, from_itself};
    unsigned char raw[4];
    if (read_offsets(s, stext, 1, raw, err) < 0)
        return -1;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ways); i++) {
        if (address(s, ways[i], stext, raw) == s->tables.stext) {
            s->way = ways[i];
            return 0;
        }
    }
    return memctx_error_set(err, MEMCTX_RETRY,
                            "kallsyms say of _stext %#" PRIx32
                            ", which leads nowhere near %#" PRIx64,
                            memctx_le32(raw), s->tables.stext);
}

int
memctx_kallsyms_addresses(const struct memctx_kallsyms *s, uint32_t index,
                          uint32_t n, uint64_t *ret, struct memctx_error *err)
{
    unsigned char raw[4 * OFFSETS];
    for (uint32_t done = 0; done < n; done += OFFSETS) {
        uint32_t part = (uint32_t)memctx_min(OFFSETS, n - done);
        if (read_offsets(s, index + done, part, raw, err) < 0)
            return -1;
        for (uint32_t i = 0; i < part; i++)
            ret[done + i] = address(s, s->way, index + done + i, raw + 4 * i);
    }
    return 0;
}

/* ---- one symbol ---------------------------------------------------------- */

static bool
is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

/* Which symbols have which names: numbers in the table, UINT32_MAX for none. */
struct hunt {
    struct memctx_kallsym *symbols;
    size_t n;
    uint32_t at[MEMCTX_KALLSYMS_WANTED];
    uint32_t stext;
};

static void
match(struct hunt *h, const char *name, uint32_t number)
{
    if (h->stext == UINT32_MAX && strcmp(name, "_stext") == 0)
        h->stext = number;
    for (size_t i = 0; i < h->n; i++) {
        if (h->at[i] == UINT32_MAX && is_one_of(name, h->symbols[i].names))
            h->at[i] = number;
    }
}

static bool
is_complete(const struct hunt *h)
{
    bool complete = h->stext != UINT32_MAX;
    for (size_t i = 0; i < h->n; i++)
        complete = complete && h->at[i] != UINT32_MAX;
    return complete;
}

static int
read_names(struct memctx_kallsyms *s, struct hunt *h, struct memctx_error *err)
{
    char text[MEMCTX_KALLSYMS_TEXT_MAX];
    for (uint32_t i = 0; i < s->n && !is_complete(h); i++) {
        if (memctx_kallsyms_next(s, text, err) < 0)
            return -1;
        match(h, text[0] != '\0' ? text + 1 : text, i);
    }
    if (h->stext == UINT32_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu32 " kernel symbols, but no _stext",
                                s->n);
    return memctx_kallsyms_learn(s, h->stext, err);
}

int
memctx_linux_kallsyms_find(const struct memctx_rammap *map,
                           const struct memctx_kernel *kernel,
                           const struct memctx_vmcoreinfo *info,
                           struct memctx_kallsym *symbols, size_t n,
                           struct memctx_error *err)
{
    struct memctx_kallsyms_tables tables;
    struct memctx_kallsyms s;
    struct hunt hunt = {.symbols = symbols, .n = n, .stext = UINT32_MAX};
    assert(n <= MEMCTX_KALLSYMS_WANTED);
    memset(hunt.at, 0xff, sizeof(hunt.at));
    if (memctx_kallsyms_tables(info, &tables, err) < 0 ||
        memctx_kallsyms_init(&s, map, kernel, &tables, err) < 0 ||
        read_names(&s, &hunt, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        symbols[i].found = hunt.at[i] != UINT32_MAX;
        if (symbols[i].found &&
            memctx_kallsyms_addresses(&s, hunt.at[i], 1, &symbols[i].gva, err) <
                0)
            return -1;
    }
    return 0;
}

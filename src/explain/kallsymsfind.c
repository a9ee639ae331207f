/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The tables stand behind one another (scripts/kallsyms.c of Linux 5.0 to
 * 5.19), each aligned to a word of the kernel: offsets, relative_base,
 * num_syms, names, markers, token_table, token_index.
 *
 * Digits are tokens of their own: the texts "0" to "9" stand in the token table
 * as 20 bytes that stand nowhere else. 48 texts before them the table begins,
 * and behind it its index must say so. Below it are the markers, each the
 * offset of the 256th next name; they tell how many names there are, and where
 * these begin. */
#include "explain/kallsymsfind.h"

#include <string.h>

#include "base/bytes.h"
#include "explain/image.h"

#define TOKENS MEMCTX_KALLSYMS_TOKENS
#define BEFORE 4096u /* the digits, and */
#define BEHIND 8192u /* bytes of tokens and their index */

#define MARKED 256u /* names from one marker to the next */
#define MARKERS_MAX (MEMCTX_KALLSYMS_MAX / MARKED)
#define MARKERS_MIN 16u /* kernels have hundreds */

/* A name that is written has at most 128 bytes with its length. */
#define NAMES_SPAN (MARKED * 128u)
#define WINDOW (2 * NAMES_SPAN)

static const unsigned char digits[20] = "0\0001\0002\0003\0004\0005\0006\0007"
                                        "\0008\0009";

struct finding {
    const struct memctx_target *target;
    unsigned word;
    struct memctx_kallsyms_tables tables;
    bool found;
    uint64_t markers_gva;
    uint32_t n_markers;
    uint32_t first; /* marker but the one that is 0 */
    uint32_t last;
    unsigned char bytes[WINDOW];
};

/* ---- tokens -------------------------------------------------------------- */

/* The place of the text that is `n` before the one at `at`; -1: there is
 * none. */
static int64_t
go_back(const unsigned char *bytes, int64_t at, unsigned n)
{
    for (; n > 0; n--) {
        if (at < 2 || bytes[at - 1] != '\0')
            return -1;
        const unsigned char *before = memrchr(bytes, '\0', (size_t)at - 1);
        if (before == NULL)
            return -1;
        at = before + 1 - bytes;
    }
    return at;
}

/* Where the text behind the one at `at` begins; 0: nowhere. */
static size_t
go_on(const unsigned char *bytes, size_t at, size_t size)
{
    const unsigned char *end = memchr(bytes + at, '\0', size - at);
    return end != NULL ? (size_t)(end + 1 - bytes) : 0;
}

/* Do the digits at this gva stand in a token table? */
static bool
find_tokens(struct finding *f, uint64_t digits_gva)
{
    const size_t size = BEFORE + BEHIND;
    uint16_t index[TOKENS];
    uint64_t gva = digits_gva - BEFORE;
    if (digits_gva < BEFORE ||
        memctx_target_read(f->target, gva, f->bytes, size, NULL) < 0)
        return false;
    int64_t begin = go_back(f->bytes, BEFORE, '0');
    size_t at = (size_t)begin;
    if (begin < 0 || (gva + at) % f->word != 0)
        return false;
    for (size_t i = 0; i < TOKENS; i++) {
        index[i] = (uint16_t)(at - (size_t)begin);
        at = go_on(f->bytes, at, size);
        if (at == 0)
            return false;
    }
    at += (size_t)(memctx_round_up(gva + at, f->word) - (gva + at));
    if (at + 2 * (size_t)TOKENS > size)
        return false;
    for (size_t i = 0; i < TOKENS; i++) {
        if (memctx_le16(f->bytes + at + 2 * i) != index[i])
            return false;
    }
    f->tables.token_table = gva + (uint64_t)begin;
    f->tables.token_index = gva + at;
    return true;
}

/* ---- markers ------------------------------------------------------------- */

/* They grow from 0 on, up to the token table. */
static bool
find_markers(struct finding *f)
{
    const uint64_t size = 4 * (MARKERS_MAX + 1);
    uint64_t gva = f->tables.token_table - size;
    if (f->tables.token_table < size ||
        memctx_target_read(f->target, gva, f->bytes, (size_t)size, NULL) < 0)
        return false;
    uint64_t at = size - 4;
    if (f->word == 8 && memctx_le32(f->bytes + at) == 0)
        at -= 4; /* so that the token table is aligned */
    f->last = memctx_le32(f->bytes + at);
    for (f->n_markers = 1; at > 0; at -= 4, f->n_markers++) {
        uint32_t marker = memctx_le32(f->bytes + at);
        uint32_t before = memctx_le32(f->bytes + at - 4);
        if (before >= marker)
            return false;
        if (before != 0)
            continue;
        f->first = marker;
        f->markers_gva = gva + at - 4;
        f->n_markers++;
        return f->n_markers >= MARKERS_MIN;
    }
    return false;
}

/* ---- names --------------------------------------------------------------- */

/* The bytes of n names that begin with `bytes`; 0: they have more than `size`.
 */
static size_t
names_size(const unsigned char *bytes, size_t size, uint32_t n)
{
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (at >= size)
            return 0;
        at += 1 + (size_t)bytes[at];
    }
    return at <= size ? at : 0;
}

/* Do n names begin at this gva, as the markers have it? The first 256 are as
 * long as they say, and the last ones end at the markers. */
static bool
are_names(const struct finding *f, uint64_t names_gva, uint32_t n)
{
    unsigned char bytes[NAMES_SPAN];
    uint64_t last_gva = names_gva + f->last;
    size_t size = (size_t)memctx_min(f->first, sizeof(bytes));
    if (!memctx_work_look(memctx_rammap_work(f->target->view.map)) ||
        memctx_target_read(f->target, names_gva, bytes, size, NULL) < 0 ||
        names_size(bytes, size, MARKED) != f->first)
        return false;
    if (last_gva >= f->markers_gva || f->markers_gva - last_gva > sizeof(bytes))
        return false;
    size = (size_t)(f->markers_gva - last_gva);
    if (memctx_target_read(f->target, last_gva, bytes, size, NULL) < 0)
        return false;
    size_t end = names_size(bytes, size, n - MARKED * (f->n_markers - 1));
    return end != 0 && size - end < f->word;
}

/* kallsyms_num_syms stands right before the names. */
static bool
find_names(struct finding *f)
{
    uint64_t end = f->markers_gva - f->last; /* of where names may begin */
    uint64_t start = end - NAMES_SPAN - f->word;
    uint32_t least = MARKED * (f->n_markers - 1) + 1;
    if (f->markers_gva < (uint64_t)f->last + WINDOW ||
        memctx_target_read(f->target, start, f->bytes, (size_t)(end - start),
                           NULL) < 0)
        return false;
    for (uint64_t at = f->word - start % f->word;
         at + 2 * f->word <= end - start; at += f->word) {
        uint32_t n = memctx_le32(f->bytes + at);
        uint64_t gva = start + at;
        if (n < least || n >= least + MARKED || !are_names(f, gva + f->word, n))
            continue;
        f->tables.num_syms = gva;
        f->tables.names = gva + f->word;
        f->tables.relative_base = gva - f->word;
        f->tables.offsets =
            gva - f->word - memctx_round_up(4 * (uint64_t)n, f->word);
        return true;
    }
    return false;
}

/* ---- all ----------------------------------------------------------------- */

static bool
take(void *arg, uint64_t gva)
{
    struct finding *f = arg;
    f->found = find_tokens(f, gva) && find_markers(f) && find_names(f);
    return !f->found;
}

int
memctx_kallsyms_locate(const struct memctx_target *target,
                       struct memctx_kallsyms_tables *ret,
                       struct memctx_error *err)
{
    struct finding f = {.target = target,
                        .word = memctx_target_word_size(target)};
    if (memctx_target_number(target, "SYMBOL(_stext)", &f.tables.stext, err) <
            0 ||
        memctx_image_search(target, digits, sizeof(digits), take, &f, err) < 0)
        return -1;
    if (!f.found)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "VMCOREINFO names no tables of symbols, and "
                                "none are found in the kernel's image");
    *ret = f.tables;
    return 0;
}

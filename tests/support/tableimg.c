/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One table after the other; each byte of a name is a token of its own. */
#include "tableimg.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MARKED 256u

static void
align(struct tableimg *t)
{
    t->used = (t->used + 7) & ~(size_t)7;
}

static void
put(struct tableimg *t, const void *bytes, size_t len)
{
    memcpy(t->bytes + t->used, bytes, len);
    t->used += len;
}

static void
put_le32(struct tableimg *t, uint32_t value)
{
    uint32_t raw = htole32(value);
    put(t, &raw, sizeof(raw));
}

size_t
tableimg_name(unsigned i, char text[TABLEIMG_NAME_MAX])
{
    if (i == 3)
        return (size_t)snprintf(text, TABLEIMG_NAME_MAX, "T_stext");
    return (size_t)snprintf(text, TABLEIMG_NAME_MAX, "ts%u_%.*s", i,
                            (int)(i % 11), "abcdefghijk");
}

static void
put_names(struct tableimg *t, uint32_t *marks)
{
    t->names = t->used;
    for (unsigned i = 0; i < TABLEIMG_SYMBOLS; i++) {
        char text[TABLEIMG_NAME_MAX];
        unsigned char len = (unsigned char)tableimg_name(i, text);
        if (i % MARKED == 0)
            marks[i / MARKED] = (uint32_t)(t->used - t->names);
        t->last_name = t->used;
        put(t, &len, 1);
        put(t, text, len);
    }
    align(t);
}

static void
put_tokens(struct tableimg *t)
{
    uint16_t index[256];
    t->token_table = t->used;
    for (unsigned i = 0; i < 256; i++) {
        const char itself[2] = {(char)i, '\0'};
        index[i] = htole16((uint16_t)(t->used - t->token_table));
        put(t, itself, strlen(itself) + 1);
    }
    align(t);
    t->token_index = t->used;
    put(t, index, sizeof(index));
}

void
tableimg_init(struct tableimg *ret, uint64_t stext_gva)
{
    uint32_t marks[TABLEIMG_SYMBOLS / MARKED + 1];
    uint64_t base = htole64(stext_gva);
    memset(ret, 0, sizeof(*ret));
    for (unsigned i = 0; i < TABLEIMG_SYMBOLS; i++)
        put_le32(ret, i == 3 ? ~0u : ~(16 * i));
    align(ret);
    ret->base = ret->used;
    put(ret, &base, sizeof(base));
    ret->num_syms = ret->used;
    put_le32(ret, TABLEIMG_SYMBOLS);
    align(ret);
    put_names(ret, marks);
    ret->markers = ret->used;
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(marks); i++)
        put_le32(ret, marks[i]);
    align(ret);
    put_tokens(ret);
}

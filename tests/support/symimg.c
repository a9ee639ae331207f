/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols one by one; the tables are as compressed as a test wants them. */
#include "symimg.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
symimg_write(const struct symimg *sym, uint64_t offset, const void *bytes,
             size_t len_bytes)
{
    guestimg_write(sym->img, sym->text_gpa + offset, bytes, len_bytes);
}

void
symimg_write_le32(const struct symimg *sym, uint64_t offset, uint64_t value)
{
    uint32_t raw = htole32((uint32_t)value);
    symimg_write(sym, offset, &raw, sizeof(raw));
}

static void
write_tokens(const struct symimg *sym)
{
    unsigned char table[1024];
    size_t used = 0;
    for (unsigned i = 0; i < 256; i++) {
        char itself[2] = {(char)i, '\0'};
        const char *text = i == 1 ? "jiff" : i == 2 ? "_64" : itself;
        uint16_t index = htole16((uint16_t)used);
        symimg_write(sym, SYMIMG_TOKEN_INDEX + 2 * i, &index, sizeof(index));
        memcpy(table + used, text, strlen(text) + 1);
        used += strlen(text) + 1;
    }
    symimg_write(sym, SYMIMG_TOKEN_TABLE, table, used);
}

struct symimg
symimg(const struct guestimg *img, uint64_t text_gpa, uint64_t text_gva,
       enum symimg_way way)
{
    const struct symimg sym = {img, text_gpa, text_gva, way, 0, SYMIMG_NAMES};
    write_tokens(&sym);
    if (way != SYMIMG_SELF)
        guestimg_write_le64(img, text_gpa + SYMIMG_BASE, text_gva);
    return sym;
}

/* A name as kernels write it: its length, then tokens. */
static void
add_name(struct symimg *sym, const char *name)
{
    size_t len = strlen(name);
    unsigned char head[2] = {(unsigned char)len, (unsigned char)(len >> 7)};
    size_t head_len = len >= 0x80 ? 2 : 1;
    if (len >= 0x80)
        head[0] |= 0x80;
    symimg_write(sym, sym->names_at, head, head_len);
    symimg_write(sym, sym->names_at + head_len, name, len);
    sym->names_at += head_len + len;
}

void
symimg_add(struct symimg *sym, const char *name, uint64_t offset)
{
    uint64_t at = SYMIMG_OFFSETS + 4 * sym->n;
    uint64_t value = sym->way == SYMIMG_NEGATIVE   ? ~offset
                     : sym->way == SYMIMG_POSITIVE ? offset
                                                   : offset - at;
    add_name(sym, name);
    symimg_write_le32(sym, at, value);
    symimg_write_le32(sym, SYMIMG_NUM_SYMS, ++sym->n);
}

void
symimg_lines(const struct symimg *sym, char *ret, size_t size)
{
    static const struct {
        const char *name;
        uint64_t offset;
    } tables[] = {
        {"names", SYMIMG_NAMES},
        {"num_syms", SYMIMG_NUM_SYMS},
        {"token_table", SYMIMG_TOKEN_TABLE},
        {"token_index", SYMIMG_TOKEN_INDEX},
        {"offsets", SYMIMG_OFFSETS},
        {"relative_base", SYMIMG_BASE},
    };
    bool has_base = sym->way != SYMIMG_SELF;
    size_t n = MEMCTX_ARRAY_LEN(tables) - (has_base ? 0 : 1);
    size_t used = 0;
    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(
            ret + used, size - used, "SYMBOL(kallsyms_%s)=%" PRIx64 "\n",
            tables[i].name, sym->text_gva + tables[i].offset);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Two texts that grow: the types and the names. */
#include "btfimg.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_word(struct btfimg *img, uint32_t word)
{
    uint32_t raw = htole32(word);
    if (img->types_len + sizeof(raw) > sizeof(img->types))
        abort();
    memcpy(img->types + img->types_len, &raw, sizeof(raw));
    img->types_len += sizeof(raw);
}

void
btfimg_init(struct btfimg *img)
{
    *img = (struct btfimg){.names_len = 1, .n = 1};
}

uint32_t
btfimg_name(struct btfimg *img, const char *name)
{
    size_t len = strlen(name) + 1;
    size_t at = img->names_len;
    if (len == 1)
        return 0;
    if (at + len > sizeof(img->names))
        abort();
    memcpy(img->names + at, name, len);
    img->names_len += len;
    return (uint32_t)at;
}

uint32_t
btfimg_add(struct btfimg *img, const char *name, enum memctx_btf_kind kind,
           uint32_t vlen, uint32_t third, const uint32_t *words, size_t n)
{
    add_word(img, btfimg_name(img, name));
    add_word(img, (uint32_t)kind << 24 | vlen);
    add_word(img, third);
    for (size_t i = 0; i < n; i++)
        add_word(img, words[i]);
    return img->n++;
}

uint32_t
btfimg_int(struct btfimg *img, const char *name, uint32_t size_bytes)
{
    const uint32_t word = 8 * size_bytes;
    return btfimg_add(img, name, MEMCTX_BTF_INT, 0, size_bytes, &word, 1);
}

uint32_t
btfimg_pointer(struct btfimg *img, uint32_t to)
{
    return btfimg_add(img, "", MEMCTX_BTF_PTR, 0, to, NULL, 0);
}

uint32_t
btfimg_array(struct btfimg *img, uint32_t of, uint32_t count)
{
    const uint32_t words[] = {of, 1, count};
    return btfimg_add(img, "", MEMCTX_BTF_ARRAY, 0, 0, words, 3);
}

uint32_t
btfimg_struct(struct btfimg *img, enum memctx_btf_kind kind, const char *name,
              uint32_t size_bytes, const struct btfimg_member *members,
              uint32_t n)
{
    uint32_t id = btfimg_add(img, name, kind, n, size_bytes, NULL, 0);
    for (uint32_t i = 0; i < n; i++) {
        add_word(img, btfimg_name(img, members[i].name));
        add_word(img, members[i].type);
        add_word(img, 8 * members[i].offset);
    }
    return id;
}

uint32_t
btfimg_enum(struct btfimg *img, const char *name,
            const struct btfimg_enumerator *items, uint32_t n)
{
    uint32_t id = btfimg_add(img, name, MEMCTX_BTF_ENUM, n, 4, NULL, 0);
    for (uint32_t i = 0; i < n; i++) {
        add_word(img, btfimg_name(img, items[i].name));
        add_word(img, (uint32_t)items[i].value);
    }
    return id;
}

unsigned char *
btfimg_bytes(const struct btfimg *img, size_t *len_bytes)
{
    const uint32_t header[] = {htole32(0x0001eb9f),
                               htole32(BTFIMG_HEADER),
                               0,
                               htole32((uint32_t)img->types_len),
                               htole32((uint32_t)img->types_len),
                               htole32((uint32_t)img->names_len)};
    size_t len = sizeof(header) + img->types_len + img->names_len;
    unsigned char *bytes = malloc(len);
    if (bytes == NULL)
        abort();
    memcpy(bytes, header, sizeof(header));
    memcpy(bytes + sizeof(header), img->types, img->types_len);
    memcpy(bytes + sizeof(header) + img->types_len, img->names, img->names_len);
    *len_bytes = len;
    return bytes;
}

struct memctx_btf *
btfimg_open(const struct btfimg *img)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_btf *btf;
    size_t len;
    unsigned char *bytes = btfimg_bytes(img, &len);
    if (memctx_btf_create(bytes, len, NULL, &btf, &err) < 0) {
        fprintf(stderr, "btfimg: %s\n", err.message);
        abort();
    }
    return btf;
}

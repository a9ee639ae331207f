/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Types, members and enumerators by their names. */
#include <stdlib.h>

#include "explain/btf.h"
#include "explain/btfindex.h"

#define DEPTH 8u               /* of a path, and of anonymous members */
#define PROBES 64u             /* slots that are looked at for one name */
#define MEMBERS_MAX (1u << 17) /* looked at for one name */

/* ---- names -------------------------------------------------------------- */

/* FNV-1a. A guest that makes names meet only loses them: see PROBES. */
static uint32_t
hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

/* The slot in which the type of this kind and name is, or may be put; NULL:
 * there are too many others. Of two with the same name the first counts. */
static uint32_t *
slot_of(const struct memctx_btf *btf, enum memctx_btf_kind kind,
        const char *name)
{
    uint32_t at = hash(name);
    struct memctx_btf_type type;
    for (unsigned i = 0; i < PROBES; i++) {
        uint32_t *slot = &btf->slots[(at + i) & btf->slot_mask];
        if (*slot == 0)
            return slot;
        if (memctx_btf_type(btf, *slot, &type, NULL) < 0)
            return NULL;
        if (type.kind == kind && strcmp(type.name, name) == 0)
            return slot;
    }
    return NULL;
}

int
memctx_btf_index_names(struct memctx_btf *btf, struct memctx_error *err)
{
    uint32_t size = 64;
    while (size < 2 * btf->n_named)
        size *= 2;
    btf->slots = calloc(size, sizeof(btf->slots[0]));
    if (btf->slots == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    btf->slot_mask = size - 1;
    for (uint32_t id = 1; id < btf->n_types; id++) {
        struct memctx_btf_type type;
        if (!memctx_btf_is_named(btf, id))
            continue;
        if (memctx_btf_type(btf, id, &type, err) < 0)
            return -1;
        uint32_t *slot = slot_of(btf, type.kind, type.name);
        if (slot != NULL && *slot == 0)
            *slot = id;
    }
    return 0;
}

int
memctx_btf_find(const struct memctx_btf *btf, enum memctx_btf_kind kind,
                const char *name, struct memctx_btf_type *ret,
                struct memctx_error *err)
{
    const uint32_t *slot = slot_of(btf, kind, name);
    if (slot == NULL || *slot == 0)
        return memctx_error_set(err, MEMCTX_RETRY, "BTF has no %s", name);
    return memctx_btf_type(btf, *slot, ret, err);
}

/* ---- members by name ---------------------------------------------------- */

static bool
is_struct(const struct memctx_btf_type *type)
{
    return type->kind == MEMCTX_BTF_STRUCT || type->kind == MEMCTX_BTF_UNION;
}

/* A search through a struct and the anonymous ones in it. */
struct search {
    struct {
        struct memctx_btf_type type;
        uint64_t offset_bits;
        uint32_t next;
    } level[DEPTH];
    unsigned depth;
};

/* Go into an anonymous member; what is no struct, or too deep, is passed by. */
static int
enter(const struct memctx_btf *btf, struct search *search,
      const struct memctx_btf_member *member, uint64_t offset_bits,
      struct memctx_error *err)
{
    struct memctx_btf_type type;
    if (search->depth == DEPTH)
        return 0;
    if (memctx_btf_strip(btf, member->type, &type, err) < 0)
        return -1;
    if (!is_struct(&type))
        return 0;
    search->level[search->depth].type = type;
    search->level[search->depth].offset_bits = offset_bits;
    search->level[search->depth].next = 0;
    search->depth++;
    return 0;
}

/* 1 and the member of that name (len bytes of it), 0: there is none; -1. */
static int
find_member(const struct memctx_btf *btf, const struct memctx_btf_type *in,
            const char *name, size_t len, struct memctx_btf_field *ret,
            struct memctx_error *err)
{
    struct search search = {.level = {{.type = *in}}, .depth = 1};
    for (unsigned looked = 0; looked < MEMBERS_MAX; looked++) {
        struct memctx_btf_member member;
        while (search.depth > 0 && search.level[search.depth - 1].next ==
                                       search.level[search.depth - 1].type.n)
            search.depth--;
        if (search.depth == 0)
            return 0;
        unsigned top = search.depth - 1;
        if (memctx_btf_member(btf, &search.level[top].type,
                              search.level[top].next++, &member, err) < 0)
            return -1;
        uint64_t at = search.level[top].offset_bits + member.offset_bits;
        if (len > 0 && strncmp(member.name, name, len) == 0 &&
            member.name[len] == '\0') {
            *ret = (struct memctx_btf_field){at, member.bits, member.type};
            return 1;
        }
        if (member.name[0] == '\0' && enter(btf, &search, &member, at, err) < 0)
            return -1;
    }
    return 0;
}

int
memctx_btf_field(const struct memctx_btf *btf, const char *struct_name,
                 const char *path, struct memctx_btf_field *ret,
                 struct memctx_error *err)
{
    struct memctx_btf_field field = {.bits = 0};
    struct memctx_btf_type type;
    const char *name = path;
    uint64_t offset_bits = 0;
    if (memctx_btf_find(btf, MEMCTX_BTF_STRUCT, struct_name, &type, err) < 0)
        return -1;
    for (unsigned i = 0; i < DEPTH; i++) {
        size_t len = strcspn(name, ".");
        int found = find_member(btf, &type, name, len, &field, err);
        if (found < 0)
            return -1;
        if (found == 0)
            break;
        offset_bits += field.offset_bits;
        if (name[len] == '\0') {
            *ret = field;
            ret->offset_bits = offset_bits;
            return 0;
        }
        name += len + 1;
        if (memctx_btf_strip(btf, field.type, &type, err) < 0)
            return -1;
    }
    return memctx_error_set(err, MEMCTX_RETRY, "BTF has no %s.%s", struct_name,
                            path);
}

int
memctx_btf_value(const struct memctx_btf *btf, const char *enum_name,
                 const char *name, int64_t *ret, struct memctx_error *err)
{
    struct memctx_btf_type type;
    if (memctx_btf_find(btf, MEMCTX_BTF_ENUM, enum_name, &type, NULL) < 0 &&
        memctx_btf_find(btf, MEMCTX_BTF_ENUM64, enum_name, &type, err) < 0)
        return -1;
    for (uint32_t i = 0; i < type.n; i++) {
        struct memctx_btf_enumerator one;
        if (memctx_btf_enumerator(btf, &type, i, &one, err) < 0)
            return -1;
        if (strcmp(one.name, name) == 0) {
            *ret = one.value;
            return 0;
        }
    }
    return memctx_error_set(err, MEMCTX_RETRY, "enum %s of BTF has no %s",
                            enum_name, name);
}

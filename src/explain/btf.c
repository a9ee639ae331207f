/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds where each type begins when BTF is opened, and checks what else it says
 * when that is asked for. */
#include "explain/btf.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/btfindex.h"

#define MAGIC 0xeb9fu
#define FORMAT_VERSION 1u
#define HEADER 24u
#define HEADER_MAX 4096u
#define TYPE 12u /* of which every record begins */
#define STRIPS 32u
#define ARRAYS 16u

/* What of a record depends on its kind. */
static const struct {
    bool known;
    bool has_size; /* the third word is a size, else an id */
    uint8_t fixed; /* bytes behind the 12 */
    uint8_t each;  /* ... and for each of vlen */
    bool by_name;  /* it can be asked for by name */
} kinds[MEMCTX_BTF_KINDS] = {
    [MEMCTX_BTF_INT] = {true, true, 4, 0, false},
    [MEMCTX_BTF_PTR] = {true, false, 0, 0, false},
    [MEMCTX_BTF_ARRAY] = {true, false, 12, 0, false},
    [MEMCTX_BTF_STRUCT] = {true, true, 0, 12, true},
    [MEMCTX_BTF_UNION] = {true, true, 0, 12, true},
    [MEMCTX_BTF_ENUM] = {true, true, 0, 8, true},
    [MEMCTX_BTF_FWD] = {true, false, 0, 0, false},
    [MEMCTX_BTF_TYPEDEF] = {true, false, 0, 0, false},
    [MEMCTX_BTF_VOLATILE] = {true, false, 0, 0, false},
    [MEMCTX_BTF_CONST] = {true, false, 0, 0, false},
    [MEMCTX_BTF_RESTRICT] = {true, false, 0, 0, false},
    [MEMCTX_BTF_FUNC] = {true, false, 0, 0, false},
    [MEMCTX_BTF_FUNC_PROTO] = {true, false, 0, 8, false},
    [MEMCTX_BTF_VAR] = {true, false, 4, 0, false},
    [MEMCTX_BTF_DATASEC] = {true, true, 0, 12, false},
    [MEMCTX_BTF_FLOAT] = {true, true, 0, 0, false},
    [MEMCTX_BTF_DECL_TAG] = {true, false, 4, 0, false},
    [MEMCTX_BTF_TYPE_TAG] = {true, false, 0, 0, false},
    [MEMCTX_BTF_ENUM64] = {true, true, 0, 12, true},
};

static int
pay(const struct memctx_btf *btf, struct memctx_error *err)
{
    return memctx_work_look(btf->work)
               ? 0
               : memctx_error_set(err, MEMCTX_RETRY, "gave up among the types");
}

/* ---- sections ----------------------------------------------------------- */

static int
take_section(const struct memctx_btf *btf, uint32_t header, size_t at,
             struct memctx_btf_section *ret, struct memctx_error *err)
{
    uint32_t off = memctx_le32(btf->bytes + at);
    uint32_t len = memctx_le32(btf->bytes + at + 4);
    if (!memctx_range_in(off, len, 0, btf->len - header))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a section of BTF has %" PRIu32
                                " bytes at %" PRIu32 " of %zu",
                                len, off, btf->len - header);
    ret->bytes = btf->bytes + header + off;
    ret->len = len;
    return 0;
}

static int
take_header(struct memctx_btf *btf, struct memctx_error *err)
{
    const unsigned char *bytes = btf->bytes;
    if (btf->len < HEADER || btf->len > MEMCTX_BTF_BYTES_MAX)
        return memctx_error_set(
            err, MEMCTX_RETRY, "BTF of %zu bytes, at most %u MiB are sane",
            btf->len, (unsigned)(MEMCTX_BTF_BYTES_MAX / MEMCTX_MIB));
    uint32_t header = memctx_le32(bytes + 4);
    if (memctx_le16(bytes) != MAGIC || bytes[2] != FORMAT_VERSION ||
        header < HEADER || header > HEADER_MAX || header > btf->len)
        return memctx_error_set(err, MEMCTX_RETRY, "no header of BTF");
    if (take_section(btf, header, 8, &btf->types, err) < 0 ||
        take_section(btf, header, 16, &btf->names, err) < 0)
        return -1;
    if (btf->names.len == 0 || btf->names.bytes[0] != '\0')
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the names of BTF do not begin with none");
    return 0;
}

/* A name that ends within MEMCTX_BTF_NAME_MAX. */
static int
take_name(const struct memctx_btf *btf, uint32_t off, const char **ret,
          struct memctx_error *err)
{
    size_t max = 0;
    if (off < btf->names.len)
        max = (size_t)memctx_min(MEMCTX_BTF_NAME_MAX, btf->names.len - off);
    if (max == 0 || memchr(btf->names.bytes + off, '\0', max) == NULL)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no name at %" PRIu32 " of BTF", off);
    *ret = (const char *)btf->names.bytes + off;
    return 0;
}

/* ---- types -------------------------------------------------------------- */

/* The kind of the record at this offset, and its length, which fits. */
static int
measure(const struct memctx_btf *btf, uint32_t at, enum memctx_btf_kind *kind,
        uint32_t *len, struct memctx_error *err)
{
    uint32_t left = btf->types.len - at;
    uint32_t info = left < TYPE ? 0 : memctx_le32(btf->types.bytes + at + 4);
    uint32_t found = info >> 24 & 31;
    if (found >= MEMCTX_BTF_KINDS || !kinds[found].known)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "BTF has kind %" PRIu32 " at %" PRIu32, found,
                                at);
    uint32_t wanted =
        TYPE + kinds[found].fixed + (info & 0xffff) * kinds[found].each;
    if (wanted > left)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a type of BTF ends behind all types");
    *kind = (enum memctx_btf_kind)found;
    *len = wanted;
    return 0;
}

/* Find where every type begins, in an array that has room for as many as there
 * can be. */
static int
index_types(struct memctx_btf *btf, struct memctx_error *err)
{
    uint32_t n = 1;
    uint32_t len;
    for (uint32_t at = 0; at < btf->types.len; at += len) {
        enum memctx_btf_kind kind;
        if (n == MEMCTX_BTF_TYPES_MAX)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "more than %u types in BTF",
                                    MEMCTX_BTF_TYPES_MAX);
        if (pay(btf, err) < 0 || measure(btf, at, &kind, &len, err) < 0)
            return -1;
        btf->n_named += kinds[kind].by_name;
        btf->at[n++] = at;
    }
    btf->n_types = n;
    return 0;
}

bool
memctx_btf_is_named(const struct memctx_btf *btf, uint32_t id)
{
    const unsigned char *raw = btf->types.bytes + btf->at[id];
    return kinds[memctx_le32(raw + 4) >> 24 & 31].by_name &&
           memctx_le32(raw) != 0;
}

static void
take_target(struct memctx_btf_type *type, uint32_t word)
{
    const unsigned char *fixed = type->records;
    if (kinds[type->kind].has_size)
        type->size_bytes = word;
    else
        type->target = word;
    if (type->kind == MEMCTX_BTF_INT)
        type->encoding = memctx_le32(fixed) >> 24 & 15;
    if (type->kind == MEMCTX_BTF_ARRAY) {
        type->target = memctx_le32(fixed);
        type->count = memctx_le32(fixed + 8);
    }
}

int
memctx_btf_type(const struct memctx_btf *btf, uint32_t id,
                struct memctx_btf_type *ret, struct memctx_error *err)
{
    struct memctx_btf_type type = {.id = id, .name = ""};
    if (id >= btf->n_types)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "type %" PRIu32 " of BTF, which has %" PRIu32,
                                id, btf->n_types);
    if (pay(btf, err) < 0)
        return -1;
    if (id != 0) {
        const unsigned char *raw = btf->types.bytes + btf->at[id];
        uint32_t info = memctx_le32(raw + 4);
        type.kind = (enum memctx_btf_kind)(info >> 24 & 31);
        type.flag = info >> 31 != 0;
        type.n = info & 0xffff;
        type.records = raw + TYPE;
        if (take_name(btf, memctx_le32(raw), &type.name, err) < 0)
            return -1;
        take_target(&type, memctx_le32(raw + 8));
    }
    *ret = type;
    return 0;
}

static bool
is_transparent(enum memctx_btf_kind kind)
{
    return kind == MEMCTX_BTF_TYPEDEF || kind == MEMCTX_BTF_VOLATILE ||
           kind == MEMCTX_BTF_CONST || kind == MEMCTX_BTF_RESTRICT ||
           kind == MEMCTX_BTF_TYPE_TAG;
}

int
memctx_btf_strip(const struct memctx_btf *btf, uint32_t id,
                 struct memctx_btf_type *ret, struct memctx_error *err)
{
    struct memctx_btf_type type;
    for (unsigned i = 0; i < STRIPS; i++) {
        if (memctx_btf_type(btf, id, &type, err) < 0)
            return -1;
        if (!is_transparent(type.kind)) {
            *ret = type;
            return 0;
        }
        id = type.target;
    }
    return memctx_error_set(err, MEMCTX_RETRY,
                            "type %" PRIu32 " of BTF leads to no end", id);
}

static bool
is_struct(const struct memctx_btf_type *type)
{
    return type->kind == MEMCTX_BTF_STRUCT || type->kind == MEMCTX_BTF_UNION;
}

static bool
is_enum(const struct memctx_btf_type *type)
{
    return type->kind == MEMCTX_BTF_ENUM || type->kind == MEMCTX_BTF_ENUM64;
}

int
memctx_btf_member(const struct memctx_btf *btf,
                  const struct memctx_btf_type *type, uint32_t index,
                  struct memctx_btf_member *ret, struct memctx_error *err)
{
    struct memctx_btf_member member = {.bits = 0};
    if (!is_struct(type) || index >= type->n)
        return memctx_error_set(
            err, MEMCTX_RETRY, "type %" PRIu32 " of BTF has no member %" PRIu32,
            type->id, index);
    const unsigned char *raw = type->records + 12 * (size_t)index;
    if (pay(btf, err) < 0 ||
        take_name(btf, memctx_le32(raw), &member.name, err) < 0)
        return -1;
    member.type = memctx_le32(raw + 4);
    member.offset_bits = memctx_le32(raw + 8);
    if (type->flag) {
        member.bits = member.offset_bits >> 24;
        member.offset_bits &= 0xffffff;
    }
    *ret = member;
    return 0;
}

int
memctx_btf_enumerator(const struct memctx_btf *btf,
                      const struct memctx_btf_type *type, uint32_t index,
                      struct memctx_btf_enumerator *ret,
                      struct memctx_error *err)
{
    struct memctx_btf_enumerator one;
    if (!is_enum(type) || index >= type->n)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "type %" PRIu32
                                " of BTF has no enumerator %" PRIu32,
                                type->id, index);
    const unsigned char *raw =
        type->records + kinds[type->kind].each * (size_t)index;
    if (pay(btf, err) < 0 ||
        take_name(btf, memctx_le32(raw), &one.name, err) < 0)
        return -1;
    uint32_t low = memctx_le32(raw + 4);
    if (type->kind == MEMCTX_BTF_ENUM64)
        one.value = (int64_t)(low | (uint64_t)memctx_le32(raw + 8) << 32);
    else
        one.value = type->flag ? (int32_t)low : (int64_t)low;
    *ret = one;
    return 0;
}

/* Bytes of one of a type that is no array. */
static int
size_of_one(const struct memctx_btf_type *type, unsigned pointer_bytes,
            uint64_t *ret, struct memctx_error *err)
{
    if (type->kind == MEMCTX_BTF_PTR)
        *ret = pointer_bytes;
    else if (kinds[type->kind].known && kinds[type->kind].has_size &&
             type->kind != MEMCTX_BTF_DATASEC)
        *ret = type->size_bytes;
    else
        return memctx_error_set(
            err, MEMCTX_RETRY, "type %" PRIu32 " of BTF has no size", type->id);
    return 0;
}

int
memctx_btf_size(const struct memctx_btf *btf, uint32_t id,
                unsigned pointer_bytes, uint64_t *ret, struct memctx_error *err)
{
    struct memctx_btf_type type;
    uint64_t times = 1;
    uint64_t one;
    for (unsigned i = 0; i <= ARRAYS; i++) {
        if (memctx_btf_strip(btf, id, &type, err) < 0)
            return -1;
        if (type.kind != MEMCTX_BTF_ARRAY) {
            if (size_of_one(&type, pointer_bytes, &one, err) < 0)
                return -1;
            if (memctx_mul(times, one, ret))
                return 0;
            break;
        }
        if (!memctx_mul(times, type.count, &times))
            break;
        id = type.target;
    }
    return memctx_error_set(err, MEMCTX_RETRY,
                            "type %" PRIu32 " of BTF is an array without end",
                            id);
}

/* ---- life --------------------------------------------------------------- */

static void
cleanup_btf(struct memctx_btf *const *btf)
{
    memctx_btf_destroy(*btf);
}

int
memctx_btf_create(unsigned char *bytes, size_t len_bytes,
                  struct memctx_work *work, struct memctx_btf **ret,
                  struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_btf)
    struct memctx_btf *btf = calloc(1, sizeof(*btf));
    if (btf == NULL) {
        free(bytes);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    btf->bytes = bytes;
    btf->len = len_bytes;
    btf->work = work;
    if (take_header(btf, err) < 0)
        return -1;
    btf->at = calloc(1 + (size_t)btf->types.len / TYPE, sizeof(btf->at[0]));
    if (btf->at == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (index_types(btf, err) < 0 || memctx_btf_index_names(btf, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&btf);
    return 0;
}

void
memctx_btf_destroy(struct memctx_btf *btf)
{
    if (btf == NULL)
        return;
    free(btf->bytes);
    free(btf->at);
    free(btf->slots);
    free(btf);
}

const unsigned char *
memctx_btf_bytes(const struct memctx_btf *btf, size_t *len_bytes)
{
    *len_bytes = btf->len;
    return btf->bytes;
}

uint32_t
memctx_btf_types(const struct memctx_btf *btf)
{
    return btf->n_types;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Members of a kernel's structs in guest memory, which its BTF says where they
 * are. */
#ifndef MEMCTX_FIELDS_H
#define MEMCTX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/btf.h"
#include "explain/target.h"

/* A member that is wanted. */
struct memctx_wish {
    const char *in;    /* the name of the struct */
    const char *path;  /* as of memctx_btf_field() */
    const char *other; /* what it is called in other kernels; NULL: the same */
    bool optional;     /* it need not be there */
};

struct memctx_field {
    bool known;
    uint32_t offset;     /* bytes from the start of the struct */
    uint32_t size_bytes; /* of all of it */
    uint32_t type;       /* its id in the BTF */
};

/* Structs are smaller than this: a guest cannot lead far away from one. */
#define MEMCTX_STRUCT_MAX (1u << 20)

/* Find n members, *ret has room for so many. 0, or -1 with PERMANENT: a member
 * is not there that is not optional, is a bit-field, or lies nowhere near its
 * struct; RETRY: the BTF makes no sense. */
int memctx_fields_find(const struct memctx_target *target,
                       const struct memctx_btf *btf,
                       const struct memctx_wish *wishes, size_t n,
                       struct memctx_field *ret, struct memctx_error *err);

/* The number in a member of 1, 2, 4 or 8 bytes of the struct at gva, without
 * its sign. 0, or -1 with RETRY: it has another size, is not known, or cannot
 * be read; as memctx_view_read(). */
int memctx_field_read(struct memctx_target *target,
                      const struct memctx_field *field, uint64_t gva,
                      uint64_t *ret, struct memctx_error *err);

/* The address of the struct whose member is at gva; and the reverse. */
static inline uint64_t
memctx_field_owner(const struct memctx_field *field, uint64_t gva)
{
    return gva - field->offset;
}

static inline uint64_t
memctx_field_at(const struct memctx_field *field, uint64_t gva)
{
    return gva + field->offset;
}

/* Copy the characters at gva, at most size_bytes - 1 of them and none behind a
 * NUL, and put a NUL behind them. They are the guest's: any bytes. 0, or -1 as
 * memctx_view_read(). */
int memctx_chars_read(struct memctx_target *target, uint64_t gva, char *ret,
                      size_t size_bytes, struct memctx_error *err);

#endif

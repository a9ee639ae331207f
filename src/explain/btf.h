/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the types of a kernel from its BTF (Documentation/bpf/btf.rst of
 * Linux): structs and their members, enums, sizes. It knows no guest memory:
 * the bytes were copied before.
 *
 * libbpf reads BTF, too, and is not used here: it is made for the BTF of one's
 * own kernel, and its authors do not promise that it is safe with any other
 * (github.com/libbpf/libbpf/issues/484). It follows ids and recurses as deep as
 * the bytes say. A guest chooses every byte of this BTF, so here every offset,
 * id and name is checked where it is used, nothing recurses, and every loop has
 * a bound and is charged to `work`.
 *
 * Known are the kinds 0 to 19, which are all up to Linux 7.2; a header may be
 * longer than the 24 bytes that are read of it. */
#ifndef MEMCTX_BTF_H
#define MEMCTX_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ram/work.h"

#define MEMCTX_BTF_BYTES_MAX (24 * MEMCTX_MIB) /* kernels have 3 to 8 MiB */
#define MEMCTX_BTF_TYPES_MAX (1u << 20)        /* kernels have about 2^17 */
#define MEMCTX_BTF_NAME_MAX 512u               /* with the NUL */

/* The numbers of the format. */
enum memctx_btf_kind {
    MEMCTX_BTF_VOID = 0,
    MEMCTX_BTF_INT,
    MEMCTX_BTF_PTR,
    MEMCTX_BTF_ARRAY,
    MEMCTX_BTF_STRUCT,
    MEMCTX_BTF_UNION,
    MEMCTX_BTF_ENUM,
    MEMCTX_BTF_FWD,
    MEMCTX_BTF_TYPEDEF,
    MEMCTX_BTF_VOLATILE,
    MEMCTX_BTF_CONST,
    MEMCTX_BTF_RESTRICT,
    MEMCTX_BTF_FUNC,
    MEMCTX_BTF_FUNC_PROTO,
    MEMCTX_BTF_VAR,
    MEMCTX_BTF_DATASEC,
    MEMCTX_BTF_FLOAT,    /* 5.13 */
    MEMCTX_BTF_DECL_TAG, /* 5.16 */
    MEMCTX_BTF_TYPE_TAG, /* 5.17 */
    MEMCTX_BTF_ENUM64,   /* 6.0 */
    MEMCTX_BTF_KINDS
};

/* One type. Names point into the BTF; "" where there is none. */
struct memctx_btf_type {
    uint32_t id;
    enum memctx_btf_kind kind;
    const char *name;
    bool flag;  /* kind_flag: an enum is signed, a fwd is a union,
                   members may be bit-fields */
    uint32_t n; /* members, enumerators */
    uint32_t
        size_bytes;    /* of INT, STRUCT, UNION, ENUM, ENUM64, FLOAT; else 0 */
    uint32_t target;   /* the id that PTR, TYPEDEF, qualifiers, tags lead to;
                          of an ARRAY what it is made of; else 0 */
    uint32_t count;    /* elements of an ARRAY; else 0 */
    uint32_t encoding; /* of an INT: MEMCTX_BTF_SIGNED, ...; else 0 */
    const unsigned char *records; /* of what there are n */
};

#define MEMCTX_BTF_SIGNED 1u
#define MEMCTX_BTF_CHAR 2u
#define MEMCTX_BTF_BOOL 4u

struct memctx_btf_member {
    const char *name; /* "": its own members count as those around it */
    uint32_t type;
    uint32_t offset_bits;
    uint32_t bits; /* of a bit-field; 0: it is none */
};

struct memctx_btf_enumerator {
    const char *name;
    int64_t value; /* of an unsigned ENUM64 the same bits */
};

struct memctx_btf;

/* BTF of len_bytes. `bytes` come from malloc() and are its own from the call
 * on, also when it fails; `work` (NULL: nothing is charged) outlives it. Checks
 * the header, the length of every type, and the names by which types can be
 * asked for, not what the types contain. 0, or -1 with RETRY: this is no BTF,
 * or more than the limits above; EXHAUSTED. 4 bytes of memory a type, 16 at
 * most for each that can be asked for. One thread at a time may use it. */
int memctx_btf_create(unsigned char *bytes, size_t len_bytes,
                      struct memctx_work *work, struct memctx_btf **ret,
                      struct memctx_error *err);

/* NULL is fine. */
void memctx_btf_destroy(struct memctx_btf *btf);

/* The bytes as they were given. */
const unsigned char *memctx_btf_bytes(const struct memctx_btf *btf,
                                      size_t *len_bytes);

/* Ids of types are below this; id 0 is void. */
uint32_t memctx_btf_types(const struct memctx_btf *btf);

/* The functions below return 0, or -1 with RETRY: an id, an index or a name is
 * not one of this BTF, or no work is left. *ret is then untouched. */

int memctx_btf_type(const struct memctx_btf *btf, uint32_t id,
                    struct memctx_btf_type *ret, struct memctx_error *err);

/* The same, but through typedefs, qualifiers and type tags, 32 at most. */
int memctx_btf_strip(const struct memctx_btf *btf, uint32_t id,
                     struct memctx_btf_type *ret, struct memctx_error *err);

/* Member `index` of a STRUCT or UNION, one of type->n. */
int memctx_btf_member(const struct memctx_btf *btf,
                      const struct memctx_btf_type *type, uint32_t index,
                      struct memctx_btf_member *ret, struct memctx_error *err);

/* Enumerator `index` of an ENUM or ENUM64, one of type->n. */
int memctx_btf_enumerator(const struct memctx_btf *btf,
                          const struct memctx_btf_type *type, uint32_t index,
                          struct memctx_btf_enumerator *ret,
                          struct memctx_error *err);

/* Bytes that a type takes in memory where a pointer takes pointer_bytes, 4 or
 * 8. Arrays of arrays go 16 deep. */
int memctx_btf_size(const struct memctx_btf *btf, uint32_t id,
                    unsigned pointer_bytes, uint64_t *ret,
                    struct memctx_error *err);

/* The first type of that kind and name: a STRUCT, UNION, ENUM or ENUM64. */
int memctx_btf_find(const struct memctx_btf *btf, enum memctx_btf_kind kind,
                    const char *name, struct memctx_btf_type *ret,
                    struct memctx_error *err);

/* A member within a struct, however deep. */
struct memctx_btf_field {
    uint64_t offset_bits; /* from the start of the struct */
    uint32_t bits;        /* of a bit-field; 0: it is none */
    uint32_t type;
};

/* The member that `path` names, as "tasks.next", in the struct of that name.
 * Members of anonymous structs and unions are found as in C; the path and such
 * structs go 8 deep. */
int memctx_btf_field(const struct memctx_btf *btf, const char *struct_name,
                     const char *path, struct memctx_btf_field *ret,
                     struct memctx_error *err);

/* The value of an enumerator of the enum of that name. */
int memctx_btf_value(const struct memctx_btf *btf, const char *enum_name,
                     const char *name, int64_t *ret, struct memctx_error *err);

#endif

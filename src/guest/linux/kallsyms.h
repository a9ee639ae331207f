/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the tables of symbols that a running Linux kernel keeps for its own
 * oops messages, and that VMCOREINFO names from 6.0 on (kernel commit
 * 5fd8fea935a1). No symbol file is needed.
 *
 * Names are compressed: each is a length (one byte, or two with the high bit
 * set in the first; 6.1, commit 73bbb94466fd) and so many tokens, which the
 * token table expands to a type letter and the name. kallsyms_offsets holds 32
 * bits for each, in one of three ways; which, the kernel does not say:
 * _stext tells, whose address VMCOREINFO has too. */
#ifndef MEMCTX_LINUX_KALLSYMS_H
#define MEMCTX_LINUX_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "guest/kernel.h"
#include "guest/linux/vmcoreinfo.h"
#include "ram/rammap.h"

#define MEMCTX_KALLSYMS_WANTED 4
#define MEMCTX_KALLSYMS_MAX (1u << 20) /* symbols; kernels have about 2^17 */

/* A type letter and a name, with NUL; KSYM_NAME_LEN is 512 in kernels. */
#define MEMCTX_KALLSYMS_TEXT_MAX 513u

/* Where the tables are: gva. */
struct memctx_kallsyms_tables {
    uint64_t names;
    uint64_t num_syms;
    uint64_t token_table;
    uint64_t token_index;
    uint64_t offsets;
    uint64_t relative_base; /* 0: there is none */
    uint64_t stext;         /* of the symbol _stext */
};

/* Those that VMCOREINFO names. -1 with RETRY: it names none. Any thread. */
int memctx_kallsyms_tables(const struct memctx_vmcoreinfo *info,
                           struct memctx_kallsyms_tables *ret,
                           struct memctx_error *err);

#define MEMCTX_KALLSYMS_TOKENS 256u
#define MEMCTX_KALLSYMS_TOKEN_TABLE            \
    4096u /* all texts; about 1 KiB in kernels \
           */
#define MEMCTX_KALLSYMS_CHUNK 16384u
#define MEMCTX_KALLSYMS_SHORT 16u /* no token is longer in most kernels */

/* How the kernel has written addresses; see kallsyms.c. */
typedef uint64_t memctx_kallsyms_way_fn(
    const struct memctx_kallsyms_tables *tables, uint64_t base, uint32_t index,
    uint32_t offset);

/* The symbols of a kernel, in the order of its table. Embedded by the caller,
 * 20 KiB; the members are its own. One thread at a time. */
struct memctx_kallsyms {
    const struct memctx_rammap *map;
    const struct memctx_kernel *kernel;
    struct memctx_kallsyms_tables tables;
    uint32_t n;
    uint32_t next;
    uint64_t gva;        /* of the next chunk of names */
    uint64_t left;       /* bytes of names that may be read yet */
    uint64_t texts_left; /* ... and written */
    size_t at;           /* in the chunk */
    size_t len;
    memctx_kallsyms_way_fn *way; /* NULL: not known yet */
    uint64_t base;
    uint16_t token_at[MEMCTX_KALLSYMS_TOKENS];
    uint16_t token_len[MEMCTX_KALLSYMS_TOKENS];
    char tokens[MEMCTX_KALLSYMS_TOKEN_TABLE +
                MEMCTX_KALLSYMS_SHORT]; /* ends with NULs */
    unsigned char chunk[MEMCTX_KALLSYMS_CHUNK];
};

/* Begin with the first symbol. The map and the kernel must outlive *ret. -1
 * with RETRY: the tables make no sense, or cannot be read; GONE. */
int memctx_kallsyms_init(struct memctx_kallsyms *ret,
                         const struct memctx_rammap *map,
                         const struct memctx_kernel *kernel,
                         const struct memctx_kallsyms_tables *tables,
                         struct memctx_error *err);

/* The next symbol's type letter and name, cut where it is too long: 1, 0 behind
 * the last, or -1 as above. All names together are read once, about 2 MiB and
 * at most 16 MiB, which expand to 64 MiB at most. */
int memctx_kallsyms_next(struct memctx_kallsyms *symbols,
                         char text[MEMCTX_KALLSYMS_TEXT_MAX],
                         struct memctx_error *err);

/* _stext is the symbol of this index: learn from it how addresses are written.
 * 0, or -1 with RETRY: no way leads there. */
int memctx_kallsyms_learn(struct memctx_kallsyms *symbols, uint32_t stext,
                          struct memctx_error *err);

/* Then the addresses of n symbols, the first of which has this index. 0, or -1
 * with RETRY or GONE. */
int memctx_kallsyms_addresses(const struct memctx_kallsyms *symbols,
                              uint32_t index, uint32_t n, uint64_t *ret,
                              struct memctx_error *err);

/* A symbol that is looked for. */
struct memctx_kallsym {
    const char *const *names; /* any of these will do; NULL ends them */
    bool found;
    uint64_t gva;
};

/* Find the first one of each one's names that the kernel has, in the order of
 * its table, and its address. 0: as many as there are of up to
 * MEMCTX_KALLSYMS_WANTED; -1 with RETRY: VMCOREINFO names no tables, or they
 * make no sense (without CONFIG_KALLSYMS_ALL they have no data symbols); GONE.
 * Reads the names once, about 2 MiB and at most 16 MiB, which expand to 64 MiB
 * at most: 0.1 s of CPU time. Any thread. */
int memctx_linux_kallsyms_find(const struct memctx_rammap *map,
                               const struct memctx_kernel *kernel,
                               const struct memctx_vmcoreinfo *info,
                               struct memctx_kallsym *symbols, size_t n,
                               struct memctx_error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel of a reader, laid out for src/explain. */
#ifndef MEMCTX_EXPLAINING_H
#define MEMCTX_EXPLAINING_H

#include "base/error.h"
#include "explain/target.h"
#include "ram/work.h"
#include "reader/reader.h"

struct explaining {
    struct memctx_reader *reader;
    unsigned renewals; /* of the reader, when this was made */
    struct memctx_work work;
    struct memctx_rammap *map; /* the reader's, charged to it; owned */
    char *note;                /* VMCOREINFO; owned; NULL: there is none */
    struct memctx_target target;
};

/* Read VMCOREINFO, where there is one. The reader must outlive *ret, which the
 * caller destroys. -1 as memctx_reader_vmcoreinfo(). */
int explaining_create(struct memctx_reader *reader, struct explaining **ret,
                      struct memctx_error *err);
void explaining_destroy(struct explaining *explaining); /* NULL is fine */
void explaining_cleanup(struct explaining **explaining);

/* -1 with PERMANENT: the kernel is no Linux. */
int explaining_check_linux(const struct explaining *explaining,
                           struct memctx_error *err);

/* Whoever parses does so between these two, with so many steps of work. As
 * lease_begin() and lease_end() (lease.h); -1 also with STALE: the reader was
 * renewed. */
int explaining_begin(struct explaining *explaining, uint64_t steps,
                     struct memctx_error *err);
int explaining_end(const struct explaining *explaining, int result,
                   const struct memctx_error *why, struct memctx_error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The memctx datum: what memctxd publishes about one kernel of one domain, and
 * its two spellings. The contract with outside programs is in
 * man/memctx-datum.pod and the schema memctx.rng. */
#ifndef MEMCTX_DATUM_H
#define MEMCTX_DATUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "ram/rammap.h"

#define MEMCTX_URI "urn:memctx:1"
#define MEMCTX_KEY "memctx"

/* A datum of a domain with many extents; libvirt would take 4 MiB, but then
 * dumpxml breaks for everybody. */
#define MEMCTX_DATUM_MAX (256u * 1024)

#define MEMCTX_DATUM_TIME_MAX 21 /* of "2026-11-22T13:40:00Z" */

/* Does the kernel run now? */
enum memctx_datum_live {
    MEMCTX_LIVE_RUNS,
    MEMCTX_LIVE_NO,      /* it ran, and is complete in RAM, but does not */
    MEMCTX_LIVE_UNKNOWN, /* nobody can tell: its guest is paused, and nobody
                            watched since it was seen running; or its RAM is
                            all there is */
};

/* Was it seen running when it was found? */
enum memctx_datum_seen {
    MEMCTX_SEEN_UNASKED,
    MEMCTX_SEEN_RUNNING, /* its clock ticked */
};

/* Why, of several kernels, this one is the answer. */
enum memctx_datum_choice {
    MEMCTX_CHOICE_ONLY, /* there are no others */
    MEMCTX_CHOICE_LATEST_TIME,
    MEMCTX_CHOICE_FIRST,
};

struct memctx_datum_extent {
    uint64_t gpa;
    uint64_t size;
    uint64_t offset;
    char backend[MEMCTX_BACKEND_NAME_MAX];
};

struct memctx_datum {
    unsigned generation;                   /* from 1; 0: of no domain (probe) */
    char published[MEMCTX_DATUM_TIME_MAX]; /* UTC; "" when not */
    uint64_t low;                          /* bytes of RAM below the split */
    unsigned attempts;   /* tries until it was found; 0: not counted */
    unsigned candidates; /* kernels that passed all checks; 0: not counted */
    enum memctx_datum_live live;
    enum memctx_datum_seen seen;
    enum memctx_layout_proof layout;
    struct memctx_kernel kernel;
    uint64_t ram_size;
    struct memctx_datum_extent *extents; /* owned; in order of gpa */
    size_t n_extents;
    /* Only from memctx probe. */
    struct memctx_process *processes; /* owned */
    size_t n_processes;
    struct memctx_kernel *others; /* owned; passed all checks, too */
    size_t n_others;
    enum memctx_datum_choice chosen;
};

enum memctx_audience {
    MEMCTX_PUBLIC,  /* domain metadata: every local user reads it. No guest
                       virtual address, which would tell the guest's KASLR */
    MEMCTX_PRIVATE, /* authorised readers: everything */
};

/* Fill *ret from what was found and where. 0, or -1 with EXHAUSTED (out of
 * memory). The caller calls memctx_datum_deinit(). */
int memctx_datum_init(struct memctx_datum *ret,
                      const struct memctx_kernel *kernel,
                      const struct memctx_rammap *map, uint64_t low,
                      struct memctx_error *err);
int memctx_datum_copy(struct memctx_datum *ret, const struct memctx_datum *from,
                      struct memctx_error *err);
void memctx_datum_deinit(struct memctx_datum *datum);

/* Same kernel: root, paging, system, version and identity agree. Whether it
 * is the same boot of it only the generation can tell. */
bool memctx_datum_is_same_kernel(const struct memctx_datum *a,
                                 const struct memctx_datum *b);

/* Same kernel in the same RAM: nothing that readers act on differs. When it
 * was published and how it was found does not count. */
bool memctx_datum_is_equal(const struct memctx_datum *a,
                           const struct memctx_datum *b);

/* Now as it stands in published="": UTC of `seconds` since 1970. */
void memctx_datum_stamp(struct memctx_datum *datum, int64_t seconds);

/* A time of Windows, in 100 ns since 1601, as "2026-11-22T13:40:00Z". False
 * when it is 0 or of no year up to 9999. */
bool memctx_datum_windows_time(uint64_t time, char text[MEMCTX_DATUM_TIME_MAX]);

/* XML without namespace prefix, as virDomainSetMetadata wants it, indented,
 * NUL-terminated, without a final newline. *ret is the caller's to free(). 0,
 * or -1 with EXHAUSTED. */
int memctx_datum_to_xml(const struct memctx_datum *datum,
                        enum memctx_audience audience, char **ret,
                        struct memctx_error *err);

/* The same facts as JSON, one object (private audience). *ret is the caller's
 * to free(). 0, or -1 with EXHAUSTED. */
int memctx_datum_to_json(const struct memctx_datum *datum, char **ret,
                         struct memctx_error *err);

/* Decode XML of either audience, with or without the namespace (virsh metadata
 * prints it without, dumpxml with). What is not known is passed over. 0, or -1
 * with PERMANENT: which element or attribute is missing or no number. *ret is
 * untouched on failure; else the caller calls memctx_datum_deinit(). */
int memctx_datum_from_xml(const char *xml, size_t len_bytes,
                          struct memctx_datum *ret, struct memctx_error *err);

#endif

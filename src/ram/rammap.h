/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where guest-physical memory lies in read-only backings, and the one door
 * through which guest bytes are read. It knows nothing of page tables.
 *
 * Every read is a pread(). Reading a hole of tmpfs, memfd or hugetlbfs through
 * mmap (shared or private), process_vm_readv or /proc/PID/mem allocates it in
 * the guest's name; pread of the file does not (measured on Linux 6.18), and of
 * a process' memory only pages are read that are there. A backing that shrank
 * is a short read here, where a mapping would raise SIGBUS. */
#ifndef MEMCTX_RAMMAP_H
#define MEMCTX_RAMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ram/source.h"
#include "ram/work.h"

#define MEMCTX_BACKENDS_MAX 512
#define MEMCTX_EXTENTS_MAX 1024
#define MEMCTX_BACKEND_NAME_MAX 64

/* One guest's RAM may be laid out in so many ways, as far as the host tells. */
#define MEMCTX_LAYOUTS_MAX 2

/* How sure it is that it is laid out in this one of several ways. */
enum memctx_layout_proof {
    MEMCTX_LAYOUT_CERTAIN, /* there is no other */
    MEMCTX_LAYOUT_PROVEN,  /* the kernel, or RAM that it maps, is there in this
                              one only */
    MEMCTX_LAYOUT_ASSUMED, /* all that was found is there in the other one, too,
                              or nobody knows what others there are; this is
                              the likeliest */
    MEMCTX_LAYOUT_PROOFS
};

struct memctx_rammap;

/* An empty map. 0, or -1 with EXHAUSTED (out of memory). The caller destroys
 * it. */
int memctx_rammap_create(struct memctx_rammap **ret, struct memctx_error *err);

/* Let go of one reference; with the last, every descriptor is closed and the
 * map freed. NULL is fine. Any thread. */
void memctx_rammap_destroy(struct memctx_rammap *map);
void memctx_rammap_cleanup(struct memctx_rammap **map); /* a scope guard */

/* One more reference to a map that is complete: nothing may be added to it from
 * now on. Returns the map, NULL for NULL; whoever gets it destroys it. Any
 * thread. */
struct memctx_rammap *memctx_rammap_share(struct memctx_rammap *map);

/* Add a backing: `name` (up to MEMCTX_BACKEND_NAME_MAX - 1 bytes, as in the
 * datum's extent/@backend), `fd` open for reading only, `io` NULL for the
 * default. The map owns fd from the call on, also when it fails. *ret is the
 * backend's index. -1 with PERMANENT: fd is not read-only, is a directory or
 * has no size; BUG: too many backends. */
int memctx_rammap_add_backend(struct memctx_rammap *map, const char *name,
                              int fd, const struct memctx_backend_io *io,
                              unsigned *ret, struct memctx_error *err);

/* The same for `size` bytes of any source, read through `io`, NULL for the
 * default; nothing is asked of the descriptors. The map owns them from the call
 * on, also when it fails; several backends may have the same one. -1 with
 * PERMANENT: size 0; BUG: too many backends; EXHAUSTED. */
int memctx_rammap_add_source(struct memctx_rammap *map, const char *name,
                             const struct memctx_source *source, uint64_t size,
                             const struct memctx_backend_io *io, unsigned *ret,
                             struct memctx_error *err);

/* A map without extents of the backends that `map` has, which is complete: the
 * two share them, and nothing may be added to them from now on. 0, or -1 with
 * EXHAUSTED. The caller destroys it. Any thread. */
int memctx_rammap_create_beside(const struct memctx_rammap *map,
                                struct memctx_rammap **ret,
                                struct memctx_error *err);

/* A map of what `map` maps, which is complete, with the same backends, through
 * which reading costs: every page that is read, and every look for data, is
 * charged to `work`, which must outlive it. Once nothing is left all reads fail
 * with RETRY, and there is no data. 0, or -1 with EXHAUSTED. The caller
 * destroys it, on the thread that uses it and its work. */
int memctx_rammap_create_charged(const struct memctx_rammap *map,
                                 struct memctx_work *work,
                                 struct memctx_rammap **ret,
                                 struct memctx_error *err);

/* Mark the layout of a map, before it is shared, as one that something may have
 * changed that could not be read. Maps that are made of it later are marked,
 * too. */
void memctx_rammap_doubt(struct memctx_rammap *map);
bool memctx_rammap_is_doubted(const struct memctx_rammap *map);

/* What reading through this map is charged to; NULL: it costs nothing. */
struct memctx_work *memctx_rammap_work(const struct memctx_rammap *map);

/* Add an extent. Extents may come in any order; they may not be empty, wrap,
 * overlap, or reach beyond the backend's size as it was when it was added: -1
 * with PERMANENT then, and the map is as before. */
int memctx_rammap_add_extent(struct memctx_rammap *map,
                             const struct memctx_extent *extent,
                             struct memctx_error *err);

/* Read len_bytes at gpa into buf. The range may cross extents that adjoin.
 * A page that the guest never touched reads as zeros. 0, or -1 with RETRY
 * (part of the range is no RAM, which guest data may claim at any time, a read
 * error, or no work is left) or GONE (the backing was truncated); buf is then
 * undefined. Any thread. */
int memctx_rammap_read(const struct memctx_rammap *map, uint64_t gpa, void *buf,
                       size_t len_bytes, struct memctx_error *err);

/* 1 if all of [gpa, gpa + size) is RAM, else 0. Any thread. */
int memctx_rammap_contains(const struct memctx_rammap *map, uint64_t gpa,
                           uint64_t size);

/* Where in `to`, another layout of the same backends, the byte is that `from`
 * has at gpa; gpa itself when one of them has it nowhere. Any thread. */
uint64_t memctx_rammap_translate(const struct memctx_rammap *from, uint64_t gpa,
                                 const struct memctx_rammap *to);

/* The first run of bytes that may be non-zero at or after gpa and below limit
 * (a GPA): 1 and [*start_gpa, *end_gpa), which lies in one extent, or 0 when
 * there is none. A long run comes in pieces of about 1 MiB, which may have
 * small holes in them. A backing that cannot tell where its holes are counts as
 * all data. Any thread. */
int memctx_rammap_next_data(const struct memctx_rammap *map, uint64_t gpa,
                            uint64_t limit_gpa, uint64_t *start_gpa,
                            uint64_t *end_gpa);

/* Are all backings as long as what is mapped of them? 0, or -1 with GONE or
 * RETRY. SEEK_DATA finds nothing behind the end of a backing that was cut, and
 * holes read as zeros, so nothing else would tell. Any thread. */
int memctx_rammap_check(const struct memctx_rammap *map,
                        struct memctx_error *err);

/* The extents in order of gpa; valid until the map changes. */
const struct memctx_extent *memctx_rammap_extents(
    const struct memctx_rammap *map, size_t *count);

/* The name given to backend `index`, or "" when there is no such backend. */
const char *memctx_rammap_backend_name(const struct memctx_rammap *map,
                                       unsigned index);

/* Size of backend `index` in bytes when it was added; 0: no such backend. */
uint64_t memctx_rammap_backend_size(const struct memctx_rammap *map,
                                    unsigned index);

/* Backends, and where the bytes of one are, for those who open them anew; NULL:
 * no such backend. The descriptors stay the map's. */
unsigned memctx_rammap_backends(const struct memctx_rammap *map);
const struct memctx_source *memctx_rammap_source(
    const struct memctx_rammap *map, unsigned index);

/* Sum of all extents in bytes, and the first GPA above all of them. */
uint64_t memctx_rammap_size(const struct memctx_rammap *map);
uint64_t memctx_rammap_end(const struct memctx_rammap *map);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that somebody else opened and hands in: descriptors, and where in the
 * guest-physical space their bytes are.
 *
 *   struct handed *handed = handed_create(low);
 *   handed_add_fd(handed, fd, &err) for each descriptor,
 *   handed_add_extent(handed, &extent, &err) for each extent, or none,
 *   handed_check(handed, &err), on a thread that may wait;
 *   then it goes into struct adapter_config, or to handed_destroy().
 *
 * The descriptors belong to it, and to the RAM that comes of it, from
 * handed_add_fd() on, whatever fails. */
#ifndef MEMCTXD_HANDED_H
#define MEMCTXD_HANDED_H

#include "backing/ram.h"

#define HANDED_FDS_MAX 253 /* SCM_MAX_FD: of one packet */

struct handed;

/* `low`: bytes of RAM below 4 GiB, which is all there is to say about one
 * descriptor in two pieces; 0: in one piece from GPA 0, or as the extents say.
 * NULL: out of memory. The caller destroys it; NULL is fine there. */
struct handed *handed_create(uint64_t low);
void handed_destroy(struct handed *handed);
void handed_cleanup(struct handed **handed);

/* The next descriptor, "ram0", "ram1", ... in the datum; the only one is "ram".
 * -1 with PERMANENT: more than HANDED_FDS_MAX; fd is closed then, too. */
int handed_add_fd(struct handed *handed, int fd, struct memctx_error *err);

/* `backend` is the number of a descriptor, from 0. -1 with PERMANENT: more than
 * MEMCTX_EXTENTS_MAX. */
int handed_add_extent(struct handed *handed, const struct memctx_extent *extent,
                      struct memctx_error *err);

/* Is this RAM that can be used? Its file system is asked, and may answer when
 * it likes, or never. 0, or -1 with PERMANENT and the reason: a file of FUSE or
 * of an overlay, where that could be so for every read; a descriptor that is
 * not open for reading only (through a writable one a
 * mistake of ours could change the guest) or no regular file; several of them
 * without extents; extents that are not of whole pages, are empty, lie beyond
 * 2^52 or their file, overlap in the guest or show the same bytes twice; a
 * descriptor without an extent; a `low` that the extents contradict; EXHAUSTED.
 */
int handed_check(const struct handed *handed, struct memctx_error *err);

/* Make RAM of it, as handed_check() demands. The descriptors go to *ret, or are
 * closed on failure, so that this is done once; again is PERMANENT. Worker. */
int handed_open(struct handed *handed, struct ram *ret,
                struct memctx_error *err);

#endif

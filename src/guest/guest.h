/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the search asks of an operating system, and what it gets back.
 *
 * To add a guest operating system:
 *   1. write its room, src/guest/NAME/, with one const struct memctx_guest_ops
 *      memctx_NAME_ops, and tests/unit/guest/NAME/, on RAM built by
 *      tests/support/guestimg.c;
 *   2. list the files of both in Makefile.am;
 *   3. add its row to MEMCTX_SYSTEMS in src/guest/kernel.h: its enum, its name
 *      and the table of ops follow from that;
 *   4. add its name to the schema, src/memctx.rng;
 *   5. say in man/memctx-datum.pod what the datum tells of it.
 * Facts that only it has are a struct in kernel.h beside the others', and rows
 * in src/datum as any fact. tests/test_new_guest.sh adds a system in this way.
 *
 * Nothing a guest says is believed alone: verify() publishes a root only when
 * two independent facts agree with it.
 */
#ifndef MEMCTX_GUEST_H
#define MEMCTX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/words.h"
#include "ram/rammap.h"

struct memctx_range {
    uint64_t gpa;
    uint64_t size;
};

/* Bytes of RAM that the search has read: len is a multiple of a page unless
 * RAM ends before. */
struct memctx_block {
    uint64_t gpa;
    const unsigned char *bytes;
    size_t len_bytes;
    bool thorough; /* also look where clues of old kernels lie: unaligned */
    bool guess;    /* also report what only has the shape of a root: there is
                      nothing better, or it is looked for as well */
};

#define MEMCTX_CLOCKS_MAX 4096

/* The clocks of one kernel; or what may be one of its clocks: it is enough
 * that one ticks. 64 KiB. */
struct memctx_clocks {
    uint64_t per_second;   /* the fastest rate of any of them */
    uint64_t least;        /* a smaller value is no clock's */
    uint64_t panic_gpa;    /* as in struct memctx_words */
    uint32_t likely_align; /* of those at such addresses one is the clock, most
                              likely; 0: that is not known */
    size_t n;
    struct memctx_clock clock[MEMCTX_CLOCKS_MAX];
};

#define MEMCTX_RIVALS_MAX 8

/* A root that passed as a kernel's in all that could be read: the rest of the
 * proof lies on pages that are out. It may be the one that runs. */
struct memctx_rival {
    enum memctx_os os;
    enum memctx_paging paging;
    uint64_t root_gpa;
    uint64_t mark; /* the same for all roots that lead to this kernel */
    bool is_named; /* by the system's own structures, see follow() */
};

/* The latest ones. */
struct memctx_rivals {
    struct memctx_rival rival[MEMCTX_RIVALS_MAX];
    size_t n; /* ever */
};

#define MEMCTX_KNOWN_MAX 16

/* What the proofs of one try share. */
struct memctx_session {
    const struct memctx_rammap *map;
    /* Kernels that were proven in this try. Many clues may lead to one. */
    struct memctx_kernel known[MEMCTX_KNOWN_MAX];
    size_t n_known;
    struct memctx_rivals rivals;
    bool every;       /* a kernel that still boots counts, too */
    uint64_t failed;  /* the guest's own note of what has just failed */
    unsigned passed;  /* how many checks the last candidate passed */
    uint64_t ram_gpa; /* where RAM begins for a kernel that says it is for
                         another machine than this map's; 0: none did */
};

/* Called by scan() for each clue; false: stop scanning this block. */
typedef bool memctx_clue_fn(uint64_t clue_gpa, void *arg);

/* All functions may run on any thread and keep nothing between calls. Whatever
 * a guest's bytes decide the length of costs: reads do by themselves, a loop
 * over what is in memory charges the map's work (ram/work.h). */
struct memctx_guest_ops {
    const char *sought; /* what a clue is, in words */
    /* Report the clues that the guest's own structures lead to, without a
     * search: in most tries this is all that is needed. Returns the bytes
     * read; what it reads must not grow with the guest. */
    uint64_t (*follow)(const struct memctx_rammap *map, memctx_clue_fn *clue,
                       void *arg);
    /* A part of RAM that is gone through more often than the rest, since a
     * clue is often there; size 0: none. */
    struct memctx_range likely;
    bool likely_at_start; /* only where RAM begins with it; what has the shape
                             of a root is reported there, too */
    /* Report every clue in a block. Pure: sees only the bytes. */
    void (*scan)(const struct memctx_block *block, memctx_clue_fn *clue,
                 void *arg);
    /* NULL, or: the part of this block in which another scan may find what
     * scan() has not: one that guesses or, if `thorough` says so, a thorough
     * one. Its size is 0 where there is none. Pure, and much quicker than such
     * a scan. */
    struct memctx_range (*hides)(const struct memctx_block *block,
                                 bool thorough);
    /* Prove that the clue at clue_gpa leads to a kernel. 0 and *ret, or -1
     * with RETRY and the check that failed, or GONE; session->passed says how
     * far it came. Usually some hundred reads. */
    int (*verify)(struct memctx_session *session, uint64_t clue_gpa,
                  struct memctx_kernel *ret, struct memctx_error *err);
    /* NULL, or: does a kernel that verify() has found still stand? For a
     * system that pages out some of what verify() needs: it looks only at what
     * stays in RAM for as long as the kernel runs. 0, or -1 with RETRY: it does
     * not, or what it needs was not noted in *kernel; or GONE. Usually some
     * dozen reads. */
    int (*stands)(const struct memctx_rammap *map,
                  const struct memctx_kernel *kernel, struct memctx_error *err);
    /* NULL, or: may this rival be the kernel that runs, rather than `kernel`,
     * which passed all checks? `moves`: the clock that `kernel` leads to has
     * been seen to move. A rival that stands no longer is none. Usually some
     * hundred reads. */
    bool (*outranks)(const struct memctx_rammap *map,
                     const struct memctx_rival *rival,
                     const struct memctx_kernel *kernel, bool moves);
    /* Name the clocks of a kernel that verify() has found, each with its value
     * of now. None may be found: such a kernel is never seen alive. *ret comes
     * zeroed. 0, or -1 with RETRY or GONE; *ret is then undefined. Reads a few
     * MiB. */
    int (*clocks)(const struct memctx_rammap *map,
                  const struct memctx_kernel *kernel, struct memctx_clocks *ret,
                  struct memctx_error *err);
    /* NULL, or: list the processes of a kernel that verify() has found, the
     * first one first: up to `max` into ret, their number into *n. 0 when the
     * list is whole; else -1 with RETRY or GONE, and *n still says how many
     * came before. Time may grow with the square of `max`. */
    int (*processes)(const struct memctx_rammap *map,
                     const struct memctx_kernel *kernel,
                     struct memctx_process *ret, size_t max, size_t *n,
                     struct memctx_error *err);
    /* NULL, or: RAM turned out to be laid out as in `to`, not as in `from` in
     * which the kernel was found. Move the facts that say where the search saw
     * something; clue_gpa has been moved. */
    void (*move)(struct memctx_kernel *kernel, const struct memctx_rammap *from,
                 const struct memctx_rammap *to);
};

#define MEMCTX_DECLARE_OPS(os, name, ops) \
    extern const struct memctx_guest_ops ops;
MEMCTX_SYSTEMS(MEMCTX_DECLARE_OPS)
#undef MEMCTX_DECLARE_OPS

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What memctxd asks a prober, and what it is answered: one message a packet of
 * a SOCK_SEQPACKET socket, as the structs below lie in memory. Both programs
 * are of one build, which start.h makes sure of.
 *
 * A prober parses bytes that a guest chose, and may be the guest's by now. What
 * it sends is taken only by memctx_probe_answer_decode(), which believes no
 * byte of it. To add a fact: its member here or in struct memctx_kernel, its
 * row in probe.c; what has no row is not copied. */
#ifndef MEMCTX_PROBE_H
#define MEMCTX_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "ram/rammap.h"
#include "search/layouts.h"

enum memctx_probe_task {
    MEMCTX_PROBE_TRY,        /* search */
    MEMCTX_PROBE_WATCH,      /* the last try found a kernel that was not seen
                                running: is it by now? */
    MEMCTX_PROBE_VERIFY,     /* is the kernel still there that was found, and
                                which words does it move? This takes up to
                                `wait_us`; it ends as soon as something else is
                                asked */
    MEMCTX_PROBE_TRANSLATE,  /* where in RAM are `size` bytes at `gva`, by the
                                tables at root_gpa in map `layout`? */
    MEMCTX_PROBE_LAST_WORDS, /* do the last messages of `kernel` say that it has
                                panicked? */
    MEMCTX_PROBE_KEEP_LOG, /* write the log of `kernel`, which has ended or may
                              have, into the output that the prober was
                              started with; and has it panicked? */
    MEMCTX_PROBE_TASKS
};

struct memctx_probe_request {
    uint64_t serial; /* comes back with the answer */
    enum memctx_probe_task task;
    uint64_t cpu_us;       /* CPU time that it may take; 0: no limit */
    uint64_t budget_bytes; /* TRY: of RAM to read, about; 0: no limit. KEEP_LOG:
                              of lines to write, at most */
    uint64_t wait_us;      /* VERIFY */
    bool cold;             /* TRY: RAM never held an earlier kernel */
    bool paused;           /* TRY: nothing can be seen running */
    bool new_boot;         /* TRY: the guest was reset since the last task */
    bool has_kernel; /* `kernel` was found before in map `layout`, maybe by
                        another prober */
    bool believed;   /* TRY: ... and need not be seen running */
    uint32_t layout;
    struct memctx_kernel kernel;
    /* TRANSLATE */
    enum memctx_paging paging;
    uint64_t root_gpa;
    uint64_t gva;
    uint32_t size; /* up to MEMCTX_PROBE_TRANSLATE_MAX */
};

enum memctx_probe_verdict {
    MEMCTX_PROBE_DONE,    /* TRY, WATCH: this kernel runs; VERIFY: it is there,
                             and `words` move; TRANSLATE: `parts`;
                             LAST_WORDS: `panicked`; KEEP_LOG: all that was
                             there is written */
    MEMCTX_PROBE_PENDING, /* this kernel is complete; it was not seen running */
    MEMCTX_PROBE_FAILED,  /* `why` says what was wanting */
    MEMCTX_PROBE_VERDICTS
};

/* A word of 8 bytes that only a running kernel moves. */
struct memctx_probe_word {
    uint64_t gpa;
    uint64_t value; /* as it was last read */
};

#define MEMCTX_PROBE_WORDS_MAX 8

/* Bytes that lie in one page of RAM. */
struct memctx_probe_part {
    uint64_t gpa;
    uint32_t size;
    bool writable;
};

#define MEMCTX_PROBE_TRANSLATE_MAX 4096
#define MEMCTX_PROBE_PARTS_MAX 2

struct memctx_probe_answer {
    uint64_t serial;
    enum memctx_probe_verdict verdict;
    struct memctx_error why; /* not DONE; class RETRY, PERMANENT, GONE or BUG */
    uint64_t bytes_read;
    uint32_t candidates; /* kernels that passed the static checks */
    /* A kernel that was found, or is pending. */
    bool has_kernel;
    bool alive; /* it was seen running */
    struct memctx_kernel kernel;
    uint32_t layout; /* number of the map that it is right in */
    enum memctx_layout_proof proof;
    /* Its clock words: none where the kernel was not seen running. */
    uint32_t n_words;
    uint64_t per_second; /* the fastest rate of any of them */
    uint64_t least;      /* a smaller value is no clock's */
    uint64_t panic_gpa;  /* these as in struct memctx_words */
    uint64_t log_gpa;
    uint64_t log_bytes;
    struct memctx_probe_word words[MEMCTX_PROBE_WORDS_MAX];
    bool panicked; /* LAST_WORDS, KEEP_LOG */
    /* KEEP_LOG, also if it has FAILED in the middle. */
    uint32_t records; /* that were written */
    bool cut;         /* there were older ones, for which there was no room */
    /* TRANSLATE */
    uint32_t n_parts;
    struct memctx_probe_part parts[MEMCTX_PROBE_PARTS_MAX];
};

/* The RAM that a request or an answer is about: a map for each layout. */
struct memctx_probe_ram {
    const struct memctx_rammap *maps[MEMCTX_LAYOUTS_MAX];
    size_t n;
};

/* Is this an answer to what was asked? Every number in its range, every text
 * printable and ended, every address in this RAM, and together something that
 * may be true. 0 and *ret, or -1 with RETRY: which field is wrong; *ret is
 * untouched then. Pure; any thread. */
int memctx_probe_answer_decode(const void *bytes, size_t len_bytes,
                               const struct memctx_probe_request *asked,
                               const struct memctx_probe_ram *ram,
                               struct memctx_probe_answer *ret,
                               struct memctx_error *err);

/* The same of a request, which comes from a program that is believed, but may
 * be in error. -1 with BUG. */
int memctx_probe_request_decode(const void *bytes, size_t len_bytes,
                                const struct memctx_probe_ram *ram,
                                struct memctx_probe_request *ret,
                                struct memctx_error *err);

#endif

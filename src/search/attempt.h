/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One try of a search: scans the RAM that it is told to scan, follows every
 * clue to a kernel or to the check that fails, and keeps to its budget. It does
 * not choose what to scan. */
#ifndef MEMCTX_ATTEMPT_H
#define MEMCTX_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "guest/guest.h"
#include "ram/rammap.h"
#include "search/hints.h"
#include "search/request.h"

#define MEMCTX_ATTEMPT_BLOCK (256 * MEMCTX_KIB) /* read at once */
#define MEMCTX_ATTEMPT_OVERLAP 64u /* clues that straddle two of them */
#define MEMCTX_ATTEMPT_AGAIN 64    /* ranges */
#define MEMCTX_ATTEMPT_LOOKED 64   /* clues */

struct memctx_attempt {
    /* The caller's; they must outlive the attempt. */
    const struct memctx_rammap *map;
    const struct memctx_search_request *request;
    struct memctx_search_result *result;
    struct memctx_hints *hints; /* MEMCTX_OSES of them */
    unsigned char *block; /* MEMCTX_ATTEMPT_BLOCK + MEMCTX_ATTEMPT_OVERLAP */
    uint64_t left_bytes;  /* of the budget */
    uint64_t proofs_left; /* steps that all proofs to come may take */
    bool thorough;        /* what blocks are scanned for, see guest.h */
    bool guess;
    /* The attempt's own. */
    enum memctx_os os; /* whose clues are looked into */
    struct memctx_session session;
    struct memctx_error why;     /* why RAM could not be read */
    struct memctx_error rivalry; /* why a proven kernel was not kept */
    struct memctx_error best[MEMCTX_OSES]; /* why the clue failed that passed
                                              the most checks */
    struct memctx_range again[MEMCTX_ATTEMPT_AGAIN]; /* where a thorough scan
                                                        may find more, by gpa */
    size_t n_again;
    /* Clues of this try, to look at each once; the oldest are forgotten. */
    struct {
        uint64_t gpa;
        enum memctx_os os;
    } looked[MEMCTX_ATTEMPT_LOOKED];
    size_t n_looked; /* ever */
};

/* Begin a try with the caller's map, request, hints and block. *result is
 * emptied. */
void memctx_attempt_init(struct memctx_attempt *attempt,
                         const struct memctx_rammap *map,
                         const struct memctx_search_request *request,
                         struct memctx_hints *hints, unsigned char *block,
                         struct memctx_search_result *result);

/* Tell who traces the search, if anybody does. */
void memctx_attempt_tell(const struct memctx_attempt *attempt,
                         const struct memctx_trace_step *step);

/* Is there nothing more to do: a kernel was found that ends the search, or the
 * map has no work left? */
bool memctx_attempt_is_done(const struct memctx_attempt *attempt);

/* May nothing be read any more? */
bool memctx_attempt_is_over(const struct memctx_attempt *attempt);

/* Read and scan [gpa, end_gpa), all of it RAM, while the budget lasts. Returns
 * the gpa reached. */
uint64_t memctx_attempt_scan(struct memctx_attempt *attempt, uint64_t gpa,
                             uint64_t end_gpa);

/* Scan [gpa, end_gpa) and skip holes, in whole pages. Returns the gpa reached;
 * end_gpa if everything was looked at. */
uint64_t memctx_attempt_scan_data(struct memctx_attempt *attempt, uint64_t gpa,
                                  uint64_t end_gpa);

/* Look again at places where clues were, the oldest first. A place counts only
 * if it still looks like a clue. */
void memctx_attempt_scan_hints(struct memctx_attempt *attempt);

/* Let each system follow its own structures. The scan through RAM goes on even
 * if that finds much: a hostile guest may have made these structures up. */
void memctx_attempt_follow(struct memctx_attempt *attempt);

/* 0 if a kernel was found. Else -1 with RETRY, and a sentence that says for
 * each system what was looked for and which check its best clue failed, or why
 * RAM could not be read. */
int memctx_attempt_end(struct memctx_attempt *attempt,
                       struct memctx_error *err);

#endif

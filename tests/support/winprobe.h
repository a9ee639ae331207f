/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM with a Windows in it as a test writes it there, a search of it, and what
 * must come of that. */
#ifndef MEMCTX_TESTS_WINPROBE_H
#define MEMCTX_TESTS_WINPROBE_H

#include "guestimg.h"
#include "search/search.h"
#include "winimg.h"

struct winprobe {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_search *search;
    struct winimg want; /* the kernel that is, or will be, in the RAM */
    struct memctx_search_result result;
    const struct memctx_kernel *kernel; /* that was found */
    struct memctx_error err;
};

/* Prepare to search the RAM; img is set up. */
void winprobe_begin(struct winprobe *p);

/* Drop the RAM, and what began on it. */
void winprobe_end(struct winprobe *p);

/* Search all of it. 0 and kernel, or -1 and err. */
int winprobe_try(struct winprobe *p);

/* It must be the one that is wanted. */
void winprobe_assert_kernel(const struct winprobe *p,
                            const struct memctx_kernel *kernel);

/* A search must find that one, and no other. */
void winprobe_assert_found(struct winprobe *p);

/* What was found must have its offsets, and lead to its processes. */
void winprobe_assert_offsets(const struct winprobe *p);
void winprobe_assert_processes(struct winprobe *p);

#endif

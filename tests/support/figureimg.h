/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The counters, the clock and the names of a kernel, and its types for them. */
#ifndef MEMCTX_TESTS_FIGUREIMG_H
#define MEMCTX_TESTS_FIGUREIMG_H

#include "explain/landmarks.h"
#include "explain/tasks.h"
#include "explimg.h"

enum figureimg_age {
    FIGUREIMG_NEW, /* 6.17: the clock is one of several, in a struct tk_data */
    FIGUREIMG_OLD, /* 5.8: no counter of the swap cache, another of slabs */
};

void figureimg_types(struct btfimg *img, enum figureimg_age age);

/* A node of two zones, which count (in pages of 4096 bytes):
 *   total 100000, free 40000, low watermarks 300, reserved 1000
 *   file 20000 (of them 3000 shmem, 500 swap cache, 700 buffers)
 *   active file 9000, inactive file 7000, slabs 4000, others 200
 * Up for 1234.5 s, of which it slept 1000, booted at 1.8e9 s; load 0.50, 1.25,
 * 3.00; 77 threads; called "guest", "root=/dev/vda quiet" on its command line.
 */
void figureimg_write(const struct explimg *x);

/* Where all of it is, and what VMCOREINFO says of it. */
/* The kswapd of the node, a kernel thread; as a list of tasks has it. */
struct memctx_task figureimg_kswapd(const struct explimg *x);

struct memctx_landmarks figureimg_landmarks(const struct explimg *x);
#define FIGUREIMG_NOTE_MAX 512
void figureimg_note(const struct explimg *x, char note[FIGUREIMG_NOTE_MAX]);

#endif

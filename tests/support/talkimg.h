/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel of guestimg that tells all that src/explain asks: symbols, types,
 * tasks, modules, figures and a log, each as its own header has it. */
#ifndef MEMCTX_TESTS_TALKIMG_H
#define MEMCTX_TESTS_TALKIMG_H

#include "guestimg.h"
#include "logimg.h"

/* The tasks 1 "init", 7 "a\"b", and TALKIMG_WORKERS from 100 on; the modules
 * "dummy" and "fat", which dummy uses; the figures of figureimg.h; a log of
 * "first" and "second". */
#define TALKIMG_WORKERS 80u
#define TALKIMG_SYMBOLS 14u /* of the kernel alone */

/* Write the kernel, which is as guestimg_kernel() has it. */
void talkimg_add(struct guestimg *img, struct guestimg_kernel *kernel);

/* Its second task and its second module lead nowhere. */
void talkimg_break(const struct guestimg *img,
                   const struct guestimg_kernel *kernel);

/* Where the pages are that all of it is made of. */
#define TALKIMG_PLACES 16u
void talkimg_places(const struct guestimg_kernel *kernel,
                    uint64_t gpa[TALKIMG_PLACES]);

/* Its log, to go on with; `img` must be the same. */
struct logimg talkimg_log(const struct guestimg *img,
                          const struct guestimg_kernel *kernel);

#endif

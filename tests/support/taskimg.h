/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The tasks of a kernel, and its types for them. */
#ifndef MEMCTX_TESTS_TASKIMG_H
#define MEMCTX_TESTS_TASKIMG_H

#include "explimg.h"

/* Where the members of its task_struct are. */
#define TASKIMG_FLAGS 4
#define TASKIMG_STATE 8
#define TASKIMG_EXIT_STATE 12
#define TASKIMG_TASKS 16
#define TASKIMG_PID 32
#define TASKIMG_TGID 36
#define TASKIMG_PARENT 40
#define TASKIMG_CRED 48
#define TASKIMG_COMM 56
#define TASKIMG_START 72
#define TASKIMG_MM 80
#define TASKIMG_PGD 24 /* in struct mm_struct */
#define TASKIMG_SIZE 128

#define TASKIMG_KERNEL_THREAD 0x200000u

/* Add task_struct, mm_struct, cred and list_head. */
void taskimg_types(struct btfimg *img);

/* Where task `index` is; 0 is init_task. */
uint64_t taskimg_gva(const struct explimg *x, unsigned index);

/* init_task, with pid 0, and an empty list. */
void taskimg_init(const struct explimg *x);

/* Write task `index`, a child of init_task of user 1000 that sleeps, and put it
 * at the end of the list. */
void taskimg_add(const struct explimg *x, unsigned index, uint32_t pid,
                 const char *name);

/* The tasks 1 to n, with their index as pid. */
void taskimg_add_many(const struct explimg *x, unsigned n);

#endif

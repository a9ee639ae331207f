/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes programs for the kernel's seccomp filter that let pread(2) read parts
 * of a descriptor and no other. A descriptor of /proc/PID/mem reads all of
 * QEMU, its disk keys included, and the process that holds one is to read guest
 * RAM only. It knows nothing of RAM, and installs nothing. */
#ifndef MEMCTXD_WINDOW_H
#define MEMCTXD_WINDOW_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes of a descriptor that may be read. */
struct window {
    int fd;
    uint64_t start;
    uint64_t size;
};

/* Sort windows[*n] by descriptor and start, and join those that adjoin or
 * overlap; *n becomes how many are left. -1 with BUG: one is empty, or goes
 * beyond 2^63, which no offset of a file reaches. */
int window_sort(struct window *windows, size_t *n, struct memctx_error *err);

/* Write a program for as many of the first descriptors of windows[n], which are
 * sorted, as the kernel takes in one (BPF_MAXINSNS instructions); all windows
 * of a descriptor are in one program. It is code[*len], and is about
 * windows[*used]; the caller goes on behind those, until all are used.
 *
 * The program ends a process that calls pread64 on one of its descriptors,
 * unless all of [offset, offset + count) lies in one window; it allows
 * everything else. So it is for use beside a filter that refuses other ways to
 * read and other architectures' system calls.
 *
 * code has room for BPF_MAXINSNS. -1 with PERMANENT: the first descriptor alone
 * has more windows than fit, which is about 300. */
int window_program(const struct window *windows, size_t n,
                   struct sock_filter *code, size_t *len, size_t *used,
                   struct memctx_error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Who is at the other end of a Unix socket, as the kernel says. */
#ifndef MEMCTXD_PEER_H
#define MEMCTXD_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* TASK_COMM_LEN of the kernel */
#define PEER_PROGRAM_SIZE 16

struct peer {
    uid_t uid;
    gid_t gid;
    pid_t pid; /* for logs only: it may be another process by now */
    char program[PEER_PROGRAM_SIZE]; /* what it calls itself, for logs, too;
                                        "": not known */
    gid_t *groups;                   /* supplementary ones, owned */
    size_t n_groups;
};

/* Ask for the credentials that the peer had when it connected. 0, or -1: the
 * kernel does not tell, or no memory. The caller calls peer_deinit(). */
int peer_of(int fd, struct peer *ret);

void peer_deinit(struct peer *peer);

/* Is it root, or this process' own user? */
bool peer_is_ours(const struct peer *peer);

bool peer_has_group(const struct peer *peer, gid_t gid);

#endif

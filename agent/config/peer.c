/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* SO_PEERCRED and SO_PEERGROUPS, see unix(7) and socket(7). */
#include "config/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* Linux 4.13 */
#endif

#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

/* The kernel says in `len` how much it would take (ERANGE). */
static int
read_groups(int fd, struct peer *peer)
{
    socklen_t len = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
        return 0;
    if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
        return -1;
    peer->groups = malloc(len);
    if (peer->groups == NULL ||
        getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &len) < 0)
        return -1;
    peer->n_groups = len / sizeof(gid_t);
    return 0;
}

static void
read_program(struct peer *peer)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)peer->pid);
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n =
        fd >= 0 ? read(fd, peer->program, sizeof(peer->program) - 1) : 0;
    peer->program[n > 0 ? n : 0] = '\0';
    peer->program[strcspn(peer->program, "\n")] = '\0';
}

int
peer_of(int fd, struct peer *ret)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -1;
    struct peer peer = {.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
    if (read_groups(fd, &peer) < 0) {
        peer_deinit(&peer);
        return -1;
    }
    read_program(&peer);
    *ret = peer;
    return 0;
}

void
peer_deinit(struct peer *peer)
{
    free(peer->groups);
    memset(peer, 0, sizeof(*peer));
}

bool
peer_is_ours(const struct peer *peer)
{
    return peer->uid == 0 || peer->uid == geteuid();
}

bool
peer_has_group(const struct peer *peer, gid_t gid)
{
    if (peer->gid == gid)
        return true;
    for (size_t i = 0; i < peer->n_groups; i++) {
        if (peer->groups[i] == gid)
            return true;
    }
    return false;
}

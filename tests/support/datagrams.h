/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A socket that takes datagrams in place of systemd or of its journal. */
#ifndef MEMCTX_TESTS_DATAGRAMS_H
#define MEMCTX_TESTS_DATAGRAMS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

struct datagrams {
    int fd;
    char dir[64];
    char path[80];
    char last[16384]; /* the one that was taken last, with a NUL behind it */
    size_t len;
};

static inline void
datagrams_init(struct datagrams *d)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(d->dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(d->dir));
    snprintf(d->path, sizeof(d->path), "%s/socket", d->dir);
    strcpy(address.sun_path, d->path);
    d->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(d->fd >= 0);
    assert_int_equal(bind(d->fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
}

static inline void
datagrams_deinit(struct datagrams *d)
{
    close(d->fd);
    unlink(d->path);
    rmdir(d->dir);
}

/* Take one, if there is one. */
static inline bool
datagrams_take(struct datagrams *d)
{
    ssize_t n = recv(d->fd, d->last, sizeof(d->last) - 1, 0);
    d->len = n > 0 ? (size_t)n : 0;
    d->last[d->len] = '\0';
    return n >= 0;
}

/* Take all that are there. The number of those that contain `words`. */
static inline unsigned
datagrams_count(struct datagrams *d, const char *words)
{
    unsigned count = 0;
    while (datagrams_take(d))
        count += memmem(d->last, d->len, words, strlen(words)) != NULL;
    return count;
}

#endif

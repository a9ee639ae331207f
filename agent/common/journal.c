/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One datagram an entry. Ours are short: the journal's way for long ones, a
 * sealed memfd, is not needed. */
#include "common/journal.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"

bool
journal_is_stream(const char *stream, int fd)
{
    uint64_t dev;
    uint64_t inode;
    struct stat st;
    if (stream == NULL || !memctx_number_take(&stream, 10, UINT64_MAX, &dev) ||
        *stream++ != ':' ||
        !memctx_number_take(&stream, 10, UINT64_MAX, &inode) || *stream != '\0')
        return false;
    return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == inode;
}

int
journal_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, len);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return memctx_steal_fd(&fd);
}

/* A field that may hold anything: NAME, newline, length of the value, value,
 * newline. */
#define PARTS 5

static void
put_field(const struct journal_field *field, unsigned char length[8],
          struct iovec *parts)
{
    size_t len = strlen(field->value);
    for (unsigned i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)len >> (8 * i));
    parts[0] = (struct iovec){(void *)field->name, strlen(field->name)};
    parts[1] = (struct iovec){(void *)"\n", 1};
    parts[2] = (struct iovec){length, 8};
    parts[3] = (struct iovec){(void *)field->value, len};
    parts[4] = (struct iovec){(void *)"\n", 1};
}

int
journal_send(int fd, const struct journal_field *fields, size_t n)
{
    struct iovec parts[JOURNAL_FIELDS_MAX * PARTS];
    unsigned char lengths[JOURNAL_FIELDS_MAX][8];
    size_t used = 0;
    for (size_t i = 0; i < n && used < JOURNAL_FIELDS_MAX; i++) {
        if (fields[i].value == NULL)
            continue;
        put_field(&fields[i], lengths[used], &parts[used * PARTS]);
        used++;
    }
    const struct msghdr message = {.msg_iov = parts,
                                   .msg_iovlen = used * PARTS};
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One datagram a call. */
#include "common/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

#define WORDS_MAX 512

/* A path, or with '@' in front a name in the abstract namespace. */
static int
parse_address(const char *text, struct notify *n)
{
    size_t len = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || len < 2 ||
        len >= sizeof(n->to.sun_path))
        return -1;
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(n->to.sun_path, text, len);
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (text[0] == '@')
        n->to.sun_path[0] = '\0';
    else
        n->to_len++;
    return 0;
}

/* What is meant for another process counts for nothing. */
static uint64_t
parse_watchdog(const char *usec, const char *pid)
{
    uint64_t us;
    uint64_t wanted;
    if (usec == NULL || !memctx_number_parse_decimal(usec, UINT64_MAX / 2, &us))
        return 0;
    if (pid != NULL && (!memctx_number_parse_decimal(pid, INT32_MAX, &wanted) ||
                        (pid_t)wanted != getpid()))
        return 0;
    return us;
}

void
notify_init(struct notify *n)
{
    const char *socket_name = getenv("NOTIFY_SOCKET");
    *n = (struct notify){.fd = -1};
    if (socket_name != NULL && parse_address(socket_name, n) == 0)
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n->fd >= 0)
        n->watchdog_us =
            parse_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void
notify_deinit(struct notify *n)
{
    memctx_close_fd(&n->fd);
}

int
notify_send(const struct notify *n, const char *format, ...)
{
    char words[WORDS_MAX];
    va_list args;
    if (n->fd < 0)
        return 0;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    ssize_t sent =
        sendto(n->fd, words, strlen(words), MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&n->to, n->to_len);
    return sent < 0 ? -1 : 0;
}

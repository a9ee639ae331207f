/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words to the service manager that has started this process. They are the
 * datagrams of sd_notify(3), which systemd promises to keep. memctxd speaks
 * them itself: libsystemd would bring a dozen libraries into a process that
 * may read every guest, and cannot be pointed at a socket of a test. */
#ifndef MEMCTXD_NOTIFY_H
#define MEMCTXD_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody wants to hear anything */
    struct sockaddr_un to;
    socklen_t to_len;
    uint64_t watchdog_us; /* it wants to hear something so often; 0: not */
};

/* Take the manager's wishes out of the environment: NOTIFY_SOCKET,
 * WATCHDOG_USEC and WATCHDOG_PID. A program that is started later inherits
 * none of them. Without the first nothing is ever sent. The caller calls
 * notify_deinit(). Before there are threads. */
void notify_init(struct notify *notify);

void notify_deinit(struct notify *notify);

/* Send lines "NAME=value" (printf-style, up to 500 bytes, newlines between
 * them). Does not wait. 0: it was sent, or nobody wants to hear it; -1: not
 * now. */
int notify_send(const struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

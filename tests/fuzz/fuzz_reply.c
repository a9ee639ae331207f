/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an agent sends to a reader: the answer to "open", its other packets, and
 * the answers to reads of RAM that has no descriptor. A line "%%" is between
 * two packets. Whatever they say, a reader is made that keeps to its map, or
 * none; nothing stays open. */
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/clocks.h"
#include "reader/openreply.h"
#include "paging/paging.h"
#include "wire/statepage.h"

#define RAM_SIZE (64 * 1024)
#define FDS 3 /* with each packet: the state page, and RAM twice */
#define PACKETS_MAX 16
#define PACKET_MAX (16 * 1024) /* all fit into the socket */

/* A memfd opened anew for reading. */
static int
make_file(const char *name, size_t size, const void *bytes, size_t len)
{
    char path[32];
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    FUZZ_MUST(fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
              pwrite(fd, bytes, len, 0) == (ssize_t)len &&
              fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int ret = open(path, O_RDONLY | O_CLOEXEC);
    FUZZ_MUST(ret >= 0);
    close(fd);
    return ret;
}

static void
send_packet(int to, const uint8_t *bytes, size_t len, const int *fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS * sizeof(int))];
    } control = {.bytes = ""};
    struct iovec part = {(void *)bytes, len};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(FDS * sizeof(int));
    memcpy(CMSG_DATA(c), fds, FDS * sizeof(int));
    FUZZ_MUST(sendmsg(to, &message, MSG_DONTWAIT) == (ssize_t)len);
}

static void
send_all(int to, const uint8_t *data, size_t size, const int *fds)
{
    static const char between[] = "\n%%\n";
    for (unsigned i = 0; i < PACKETS_MAX && size > 0; i++) {
        const uint8_t *end = memmem(data, size, between, 4);
        size_t len = end != NULL ? (size_t)(end - data) : size;
        size_t passed = end != NULL ? len + 4 : size;
        if (len > 0 && len <= PACKET_MAX)
            send_packet(to, data, len, fds);
        data += passed;
        size -= passed;
    }
}

/* Each extent at both ends, and its data; then a walk. */
static void
use(struct lease *lease)
{
    size_t n;
    unsigned char bytes[600];
    struct memctx_walk walk;
    const struct memctx_extent *e = memctx_rammap_extents(lease->map, &n);
    FUZZ_MUST(n > 0);
    for (size_t i = 0; i < n && i < 8; i++) {
        uint64_t start;
        uint64_t end;
        uint64_t limit = e[i].gpa + e[i].size;
        FUZZ_MUST(e[i].size > 0 && limit > e[i].gpa &&
                  e[i].backend < lease->n_backends);
        lease->failure.kind = MEMCTX_OK;
        memctx_rammap_read(lease->map, e[i].gpa, bytes, sizeof(bytes), NULL);
        memctx_rammap_read(lease->map, limit - 1, bytes, 1, NULL);
        FUZZ_MUST(limit == UINT64_MAX ||
                  memctx_rammap_contains(lease->map, limit, 1) ||
                  memctx_rammap_read(lease->map, limit - 1, bytes, 2, NULL) <
                      0);
        if (memctx_rammap_next_data(lease->map, e[i].gpa, limit, &start,
                                    &end) == 1)
            FUZZ_MUST(start >= e[i].gpa && start < end && end <= limit);
    }
    tables_set_time(lease->tables, clocks_us(CLOCK_MONOTONIC));
    memctx_paging_walk(tables_map(lease->tables), lease->datum.kernel.paging,
                       lease->datum.kernel.kcr3, UINT64_C(0xffffffff81000000),
                       &walk, NULL);
}

static void
take(int fd)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct client_packet packet = {.n_fds = 0};
    struct lease *lease = calloc(1, sizeof(*lease));
    FUZZ_MUST(lease != NULL && memctx_rammap_create(&lease->map, &err) == 0 &&
              client_adopt(fd, &lease->client, &err) == 0);
    int got = client_reply(lease->client, -1, &packet, &err);
    if (got == 1 && openreply_receive(lease, &packet, &err) == 0) {
        FUZZ_MUST(tables_create(lease->map, &lease->failure, &lease->tables,
                                &err) == 0);
        use(lease);
    } else {
        FUZZ_MUST(err.kind != MEMCTX_OK && err.message[0] != '\0');
    }
    client_packet_deinit(&packet);
    lease_close(lease);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static int fds[FDS] = {-1, -1, -1};
    int pair[2];
    if (fds[0] < 0) {
        struct statepage page = {.magic = STATEPAGE_MAGIC};
        atomic_init(&page.epoch, 7);
        fds[0] = make_file("page", STATEPAGE_SIZE, &page, sizeof(page));
        fds[1] = make_file("ram", RAM_SIZE, "RAM", 3);
        fds[2] = fds[1];
    }
    int lowest = dup(fds[0]);
    close(lowest);
    FUZZ_MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    send_all(pair[1], data, size, fds);
    shutdown(pair[1], SHUT_WR); /* after these: it has left */
    take(pair[0]);
    close(pair[1]);
    int lowest_now = dup(fds[0]);
    close(lowest_now);
    FUZZ_MUST(lowest_now == lowest);
}

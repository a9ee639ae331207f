/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes RAM maps apart into packets, and puts them together again. */
#include "wire/start.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "ram/procmem.h"
#include "wire/probe.h"
#include "wire/sockets.h"

#define BACKENDS 16 /* of one packet */
#define EXTENTS 64  /* of one packet */
#define FDS (3 * BACKENDS)
static_assert(FDS <= 253, "SCM_MAX_FD: of one packet");

enum kind {
    HEAD,
    SOURCES,
    PLACES
};

/* The packets, as they lie in memory. Each has its kind and how many of what
 * follows are filled in. */
struct head {
    uint32_t kind;
    uint32_t count;
    char build[32];
    uint32_t answer_bytes; /* of another build if the structs are others */
    uint32_t request_bytes;
    uint32_t n_backends;
    uint32_t n_maps;
    uint32_t n_extents[MEMCTX_LAYOUTS_MAX];
    int32_t parent;
    uint32_t cpu_s;
    uint64_t memory_bytes;
    uint64_t output_bytes;
    uint32_t doubted; /* memctx_rammap_is_doubted() of all maps */
    int32_t output;   /* number of its descriptor, as those of backends */
};

struct backend {
    char name[MEMCTX_BACKEND_NAME_MAX];
    uint64_t start;
    uint64_t size;
    /* Numbers of descriptors in the order in which they came, with this packet
     * or before; -1: none. */
    int32_t fd;
    int32_t pagemap_fd;
    int32_t file_fd;
};

struct sources {
    uint32_t kind;
    uint32_t count;
    struct backend backends[BACKENDS];
};

struct places {
    uint32_t kind;
    uint32_t count;
    uint32_t map;
    struct memctx_extent extents[EXTENTS];
};

/* The output and those of all backends. */
#define FDS_MAX (1 + 3 * MEMCTX_BACKENDS_MAX)

/* Every descriptor once, however many backends it is of. */
struct pieces {
    unsigned n;
    int fds[FDS_MAX];
};

static int
send_packet(int socket, const void *packet, size_t size, const int *fds,
            unsigned n_fds, struct memctx_error *err)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct iovec iov = {(void *)packet, size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    sockets_put_fds(&message, control.bytes, fds, n_fds);
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "RAM cannot be sent to a prober: %s",
                                strerror(errno));
    return 0;
}

/* Its number among the pieces, added if need be. */
static int32_t
number_of(struct pieces *pieces, int fd)
{
    unsigned i = 0;
    if (fd < 0)
        return -1;
    while (i < pieces->n && pieces->fds[i] != fd)
        i++;
    if (i == pieces->n)
        pieces->fds[pieces->n++] = fd;
    return (int32_t)i;
}

static void
describe_backend(const struct memctx_rammap *map, unsigned index,
                 struct pieces *pieces, struct backend *ret)
{
    const struct memctx_source *source = memctx_rammap_source(map, index);
    *ret = (struct backend){
        .start = source->start,
        .size = memctx_rammap_backend_size(map, index),
        .fd = number_of(pieces, source->fd),
        .pagemap_fd = number_of(pieces, source->pagemap_fd),
        .file_fd = number_of(pieces, source->file_fd),
    };
    snprintf(ret->name, sizeof(ret->name), "%s",
             memctx_rammap_backend_name(map, index));
}

/* Beside each packet are the descriptors that no packet before it had. */
static int
send_backends(int socket, const struct memctx_rammap *map,
              struct pieces *pieces, struct memctx_error *err)
{
    struct sources packet = {.kind = SOURCES};
    unsigned n = memctx_rammap_backends(map);
    for (unsigned done = 0; done < n; done += packet.count) {
        unsigned sent = pieces->n;
        packet.count = (uint32_t)memctx_min(n - done, BACKENDS);
        for (unsigned i = 0; i < packet.count; i++)
            describe_backend(map, done + i, pieces, &packet.backends[i]);
        if (send_packet(socket, &packet, sizeof(packet), &pieces->fds[sent],
                        pieces->n - sent, err) < 0)
            return -1;
    }
    return 0;
}

static int
send_places(int socket, const struct memctx_rammap *map, uint32_t number,
            struct memctx_error *err)
{
    size_t n;
    const struct memctx_extent *extents = memctx_rammap_extents(map, &n);
    struct places packet;
    memset(&packet, 0, sizeof(packet));
    packet.kind = PLACES;
    packet.map = number;
    for (size_t done = 0; done < n; done += packet.count) {
        packet.count = (uint32_t)memctx_min(n - done, EXTENTS);
        /* Not as a whole: its padding would tell what was on our stack. */
        for (unsigned i = 0; i < packet.count; i++) {
            packet.extents[i].gpa = extents[done + i].gpa;
            packet.extents[i].size = extents[done + i].size;
            packet.extents[i].offset = extents[done + i].offset;
            packet.extents[i].backend = extents[done + i].backend;
        }
        if (send_packet(socket, &packet, sizeof(packet), NULL, 0, err) < 0)
            return -1;
    }
    return 0;
}

static void
fill_head(const struct memctx_start *start, struct pieces *pieces,
          struct head *ret)
{
    *ret = (struct head){
        .kind = HEAD,
        .count = 1,
        .build = PACKAGE_VERSION,
        .answer_bytes = sizeof(struct memctx_probe_answer),
        .request_bytes = sizeof(struct memctx_probe_request),
        .n_backends = memctx_rammap_backends(start->maps[0]),
        .n_maps = (uint32_t)start->n_maps,
        .parent = (int32_t)start->parent,
        .cpu_s = start->cpu_s,
        .memory_bytes = start->memory_bytes,
        .output_bytes = start->output_bytes,
        .output = number_of(pieces, start->output_fd),
        .doubted = memctx_rammap_is_doubted(start->maps[0]),
    };
    for (size_t i = 0; i < start->n_maps; i++) {
        size_t n;
        memctx_rammap_extents(start->maps[i], &n);
        ret->n_extents[i] = (uint32_t)n;
    }
}

int
memctx_start_send(int socket, const struct memctx_start *start,
                  struct memctx_error *err)
{
    struct head head;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct pieces *pieces = calloc(1, sizeof(*pieces));
    if (pieces == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    fill_head(start, pieces, &head);
    if (send_packet(socket, &head, sizeof(head), pieces->fds, pieces->n, err) <
            0 ||
        send_backends(socket, start->maps[0], pieces, err) < 0)
        return -1;
    for (size_t i = 0; i < start->n_maps; i++) {
        if (send_places(socket, start->maps[i], (uint32_t)i, err) < 0)
            return -1;
    }
    return 0;
}

void
memctx_start_deinit(struct memctx_start *start)
{
    for (size_t i = 0; i < MEMCTX_LAYOUTS_MAX; i++)
        memctx_rammap_destroy(memctx_steal_ptr(&start->maps[i]));
}

/* A start on its way in. */
struct arrival {
    int socket;
    struct memctx_start start;
    struct pieces pieces; /* owned, but for the descriptors of a map */
    bool used[FDS_MAX];
};

static void
arrival_destroy(struct arrival **arrival)
{
    struct arrival *a = *arrival;
    if (a == NULL)
        return;
    memctx_start_deinit(&a->start);
    for (unsigned i = 0; i < a->pieces.n; i++) {
        if (!a->used[i])
            close(a->pieces.fds[i]);
    }
    free(a);
}

/* One packet of this kind: 1 to `most` items, and all the bytes of them. */
static int
receive_packet(struct arrival *a, enum kind kind, void *packet, size_t size,
               struct memctx_error *err)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct iovec iov = {packet, size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    uint32_t found;
    ssize_t n;
    while ((n = recvmsg(a->socket, &message, MSG_CMSG_CLOEXEC)) < 0 &&
           errno == EINTR)
        ;
    bool fit = n < 0 ||
               sockets_take_fds(&message, a->pieces.fds,
                                MEMCTX_ARRAY_LEN(a->pieces.fds), &a->pieces.n);
    if (n <= 0)
        return memctx_error_set(err, MEMCTX_GONE,
                                "nobody tells what RAM there is");
    memcpy(&found, packet, sizeof(found));
    if ((size_t)n != size || found != (uint32_t)kind || !fit ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "%zd bytes are no start of a prober", n);
    return 0;
}

static bool
take_fd(struct arrival *a, int32_t number, int *ret)
{
    bool none = number == -1;
    if (!none && (number < 0 || (unsigned)number >= a->pieces.n))
        return false;
    *ret = none ? -1 : a->pieces.fds[number];
    if (!none)
        a->used[number] = true;
    return true;
}

static int
add_backend(struct arrival *a, struct backend *backend,
            struct memctx_error *err)
{
    struct memctx_source source = {.start = backend->start};
    unsigned index;
    backend->name[sizeof(backend->name) - 1] = '\0';
    if (!take_fd(a, backend->fd, &source.fd) || source.fd < 0 ||
        !take_fd(a, backend->pagemap_fd, &source.pagemap_fd) ||
        !take_fd(a, backend->file_fd, &source.file_fd))
        return memctx_error_set(err, MEMCTX_BUG,
                                "RAM of a descriptor that did not come");
    return memctx_rammap_add_source(
        a->start.maps[0], backend->name, &source, backend->size,
        source.pagemap_fd >= 0 ? &memctx_procmem_pread_io : NULL, &index, err);
}

static int
receive_output(struct arrival *a, const struct head *head,
               struct memctx_error *err)
{
    if (!take_fd(a, head->output, &a->start.output_fd))
        return memctx_error_set(err, MEMCTX_BUG,
                                "an output of a descriptor that did not come");
    a->start.output_bytes = head->output_bytes;
    return 0;
}

static int
receive_backends(struct arrival *a, uint32_t n, struct memctx_error *err)
{
    struct sources packet;
    for (uint32_t done = 0; done < n; done += packet.count) {
        if (receive_packet(a, SOURCES, &packet, sizeof(packet), err) < 0)
            return -1;
        if (packet.count == 0 || packet.count > memctx_min(n - done, BACKENDS))
            return memctx_error_set(err, MEMCTX_BUG, "too many backends");
        for (uint32_t i = 0; i < packet.count; i++) {
            if (add_backend(a, &packet.backends[i], err) < 0)
                return -1;
        }
    }
    return 0;
}

static int
receive_places(struct arrival *a, uint32_t map, uint32_t n,
               struct memctx_error *err)
{
    struct places packet;
    for (uint32_t done = 0; done < n; done += packet.count) {
        if (receive_packet(a, PLACES, &packet, sizeof(packet), err) < 0)
            return -1;
        if (packet.count == 0 || packet.map != map ||
            packet.count > memctx_min(n - done, EXTENTS))
            return memctx_error_set(err, MEMCTX_BUG, "too many extents");
        for (uint32_t i = 0; i < packet.count; i++) {
            if (memctx_rammap_add_extent(a->start.maps[map], &packet.extents[i],
                                         err) < 0)
                return -1;
        }
    }
    return 0;
}

static int
check_head(const struct head *head, struct memctx_error *err)
{
    if (strncmp(head->build, PACKAGE_VERSION, sizeof(head->build)) != 0 ||
        head->answer_bytes != sizeof(struct memctx_probe_answer) ||
        head->request_bytes != sizeof(struct memctx_probe_request))
        return memctx_error_set(err, MEMCTX_BUG,
                                "memctxd and its prober are of two builds");
    if (head->n_maps == 0 || head->n_maps > MEMCTX_LAYOUTS_MAX ||
        head->n_backends == 0 || head->n_backends > MEMCTX_BACKENDS_MAX)
        return memctx_error_set(err, MEMCTX_BUG, "a start without RAM");
    return 0;
}

static int
receive_maps(struct arrival *a, const struct head *head,
             struct memctx_error *err)
{
    struct memctx_rammap **maps = a->start.maps;
    if (memctx_rammap_create(&maps[0], err) < 0 ||
        receive_backends(a, head->n_backends, err) < 0)
        return -1;
    if (head->doubted != 0)
        memctx_rammap_doubt(maps[0]);
    for (uint32_t i = 1; i < head->n_maps; i++) {
        if (memctx_rammap_create_beside(maps[0], &maps[i], err) < 0)
            return -1;
    }
    for (uint32_t i = 0; i < head->n_maps; i++) {
        if (receive_places(a, i, head->n_extents[i], err) < 0)
            return -1;
    }
    return 0;
}

int
memctx_start_receive(int socket, struct memctx_start *ret,
                     struct memctx_error *err)
{
    struct head head;
    MEMCTX_CLEANUP(arrival_destroy)
    struct arrival *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    a->socket = socket;
    a->start.output_fd = -1;
    if (receive_packet(a, HEAD, &head, sizeof(head), err) < 0 ||
        check_head(&head, err) < 0 || receive_output(a, &head, err) < 0 ||
        receive_maps(a, &head, err) < 0)
        return -1;
    a->start.n_maps = head.n_maps;
    a->start.parent = head.parent;
    a->start.memory_bytes = head.memory_bytes;
    a->start.cpu_s = head.cpu_s;
    *ret = a->start;
    memset(&a->start, 0, sizeof(a->start));
    a->start.output_fd = -1;
    return 0;
}

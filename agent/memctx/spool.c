/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Copies bytes; what they mean is for others. */
#include "memctx/spool.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "common/fileio.h"
#include "text/text.h"

#define CHUNK_BYTES (256 * MEMCTX_KIB)

/* The flattened format: a header, then pieces, each behind its place and size;
 * numbers are big-endian. Source: makedumpfile.h of makedumpfile 1.7. */
#define FLAT_HEADER_BYTES 4096u
#define FLAT_END UINT64_MAX

struct spool {
    int in;
    const unsigned char *head; /* what was read before, */
    size_t head_bytes;         /* and is left of it */
    int out;
    uint64_t end; /* of what was written */
    unsigned char *chunk;
};

static void
spool_deinit(struct spool *spool)
{
    memctx_close_fd(&spool->out);
    free(spool->chunk);
}

static const char *
directory(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' ? dir : "/var/tmp";
}

static int
spool_init(struct spool *spool, struct memctx_error *err)
{
    spool->chunk = malloc(CHUNK_BYTES);
    if (spool->chunk == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    spool->out = open(directory(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (spool->out < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot make a file in %s (TMPDIR) to copy it "
                                "to: %s",
                                directory(), strerror(errno));
    return 0;
}

/* Up to len_bytes, fewer only at the end. */
static int
read_in(struct spool *spool, void *buf, size_t len_bytes, size_t *ret,
        struct memctx_error *err)
{
    unsigned char *to = buf;
    size_t done = memctx_min(len_bytes, spool->head_bytes);
    memcpy(to, spool->head, done);
    spool->head += done;
    spool->head_bytes -= done;
    while (done < len_bytes) {
        ssize_t n = read(spool->in, to + done, len_bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read it: %s",
                                    strerror(errno));
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *ret = done;
    return 0;
}

static bool
is_zero(const unsigned char *bytes, size_t len_bytes)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len_bytes - 1) == 0;
}

static int
write_all(int fd, const unsigned char *bytes, size_t len_bytes, uint64_t offset,
          struct memctx_error *err)
{
    if (fileio_pwrite_all(fd, bytes, len_bytes, offset) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "cannot copy it to %s (TMPDIR): %s", directory(),
                            strerror(errno));
}

/* Write the first len_bytes of the chunk, but for what is zero. */
static int
write_out(struct spool *spool, size_t len_bytes, uint64_t offset,
          struct memctx_error *err)
{
    for (size_t at = 0; at < len_bytes; at += MEMCTX_PAGE_SIZE) {
        size_t part = memctx_min(len_bytes - at, MEMCTX_PAGE_SIZE);
        if (!is_zero(spool->chunk + at, part) &&
            write_all(spool->out, spool->chunk + at, part, offset + at, err) <
                0)
            return -1;
    }
    spool->end = memctx_max(spool->end, offset + len_bytes);
    return 0;
}

/* Whoever maps RAM wants a descriptor that cannot write. */
static int
give(struct spool *spool, int *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *path = NULL;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add(&text, "/proc/self/fd/%d", spool->out);
    if (memctx_text_take(&text, &path, err) < 0)
        return -1;
    int fd = ftruncate(spool->out, (off_t)spool->end) == 0
                 ? open(path, O_RDONLY | O_CLOEXEC)
                 : -1;
    if (fd < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot open the copy in %s: %s", directory(),
                                strerror(errno));
    *ret = fd;
    return 0;
}

int
spool_copy(int fd, const unsigned char *head, size_t len_bytes, int *ret,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(spool_deinit)
    struct spool spool = {fd, head, len_bytes, -1, 0, NULL};
    size_t n = 1;
    if (spool_init(&spool, err) < 0)
        return -1;
    while (n > 0) {
        if (read_in(&spool, spool.chunk, CHUNK_BYTES, &n, err) < 0 ||
            write_out(&spool, n, spool.end, err) < 0)
            return -1;
    }
    return give(&spool, ret, err);
}

/* The bytes of one piece. */
static int
copy_piece(struct spool *spool, uint64_t offset, uint64_t size,
           struct memctx_error *err)
{
    for (uint64_t done = 0; done < size;) {
        size_t n;
        size_t wanted = memctx_min(size - done, CHUNK_BYTES);
        if (read_in(spool, spool->chunk, wanted, &n, err) < 0)
            return -1;
        if (n < wanted)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "truncated: a flattened dump that ends "
                                    "within a piece of %" PRIu64 " bytes",
                                    size);
        if (write_out(spool, n, offset + done, err) < 0)
            return -1;
        done += n;
    }
    return 0;
}

/* The next piece; *more is false behind the last one. */
static int
take_piece(struct spool *spool, bool *more, struct memctx_error *err)
{
    const uint64_t end_of_file = UINT64_C(1) << 52;
    uint64_t place[2];
    size_t n;
    if (read_in(spool, place, sizeof(place), &n, err) < 0)
        return -1;
    if (n < sizeof(place))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "truncated: a flattened dump without its end "
                                "mark");
    uint64_t offset = be64toh(place[0]);
    uint64_t size = be64toh(place[1]);
    *more = offset != FLAT_END;
    if (!*more)
        return 0;
    if (!memctx_range_in(offset, size, 0, end_of_file) || size == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a flattened dump with a piece of %" PRIu64
                                " bytes for offset %#" PRIx64,
                                size, offset);
    return copy_piece(spool, offset, size, err);
}

int
spool_unflatten(int fd, const unsigned char *head, size_t len_bytes, int *ret,
                struct memctx_error *err)
{
    MEMCTX_CLEANUP(spool_deinit)
    struct spool spool = {fd, head, len_bytes, -1, 0, NULL};
    bool more = true;
    size_t n;
    if (spool_init(&spool, err) < 0 ||
        read_in(&spool, spool.chunk, FLAT_HEADER_BYTES, &n, err) < 0)
        return -1;
    /* Bounded by what there is to read. */
    while (more) {
        if (take_piece(&spool, &more, err) < 0)
            return -1;
    }
    return give(&spool, ret, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Copies guest memory into an ELF core, holes as holes. */
#include "memctx/corefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "guest/linux/image.h"
#include "wire/clocks.h"

#define BLOCK (1024u * 1024)
#define SETTLE_MS 10000

int
corefile_create(const struct subject *subject, struct memctx_elfcore **ret,
                struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum.kernel;
    if (subject_begin(subject, err) < 0)
        return -1;
    uint64_t image_bytes =
        memctx_linux_image_bytes(subject_map(subject), kernel);
    if (subject_end(subject, 0, NULL, err) < 0)
        return -1;
    const struct memctx_elfcore_facts facts = {
        .kernel = kernel,
        .extents = subject->facts.extents,
        .n_extents = subject->facts.n_extents,
        .image_bytes = image_bytes,
        .vmcoreinfo = subject->facts.vmcoreinfo,
        .vmcoreinfo_len = subject->facts.vmcoreinfo_len,
    };
    return memctx_elfcore_create(&facts, ret, err);
}

/* The piece that holds an offset, which is behind the header and before the end
 * of the file. */
static const struct memctx_elfcore_piece *
find_piece(const struct memctx_elfcore *core, uint64_t offset)
{
    size_t n;
    const struct memctx_elfcore_piece *piece = memctx_elfcore_pieces(core, &n);
    while (n > 1 && offset - piece->offset >= piece->size) {
        piece++;
        n--;
    }
    return piece;
}

/* Read the beginning of the range: as much of it as lies in one part of the
 * file, the header or a piece. Returns how many bytes that were. */
static ssize_t
read_part(const struct memctx_elfcore *core, const struct subject *subject,
          uint64_t offset, void *buf, uint64_t len, struct memctx_error *err)
{
    size_t header_len;
    const unsigned char *header = memctx_elfcore_header(core, &header_len);
    if (offset < header_len) {
        len = memctx_min(len, header_len - offset);
        memcpy(buf, header + offset, len);
        return (ssize_t)len;
    }
    const struct memctx_elfcore_piece *piece = find_piece(core, offset);
    uint64_t skipped = offset - piece->offset;
    len = memctx_min(len, piece->size - skipped);
    if (subject_read(subject, piece->gpa + skipped, buf, len, err) < 0)
        return -1;
    return (ssize_t)len;
}

ssize_t
corefile_read(const struct memctx_elfcore *core, const struct subject *subject,
              uint64_t offset, void *buf, size_t len, struct memctx_error *err)
{
    uint64_t size = memctx_elfcore_size(core);
    if (offset >= size)
        return 0;
    len = (size_t)memctx_min(len, size - offset);
    size_t done = 0;
    while (done < len) { /* each turn reads a byte at least */
        ssize_t n = read_part(core, subject, offset + done, (char *)buf + done,
                              len - done, err);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* ---- writing ------------------------------------------------------------ */

/* A copy in progress. */
struct copy {
    const struct memctx_elfcore *core;
    const struct subject *subject;
    struct corefile *file;
    uint64_t written;     /* to a stream */
    uint64_t copied;      /* bytes of memory that are no holes */
    unsigned char *block; /* of BLOCK bytes */
};

static int
write_all(const struct copy *copy, const unsigned char *bytes, size_t len,
          uint64_t offset, struct memctx_error *err)
{
    const struct corefile *file = copy->file;
    while (len > 0) {
        ssize_t n = file->is_stream
                        ? write(file->fd, bytes, len)
                        : pwrite(file->fd, bytes, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return memctx_error_set(
                err, MEMCTX_PERMANENT, "cannot write to %s: %s",
                file->is_stream ? "standard output" : file->path,
                n < 0 ? strerror(errno) : "no progress");
        bytes += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* A stream has no holes: write zeros up to this offset. */
static int
fill_up(struct copy *copy, uint64_t offset, struct memctx_error *err)
{
    static const unsigned char zeros[64 * 1024];
    while (copy->written < offset) {
        size_t len = (size_t)memctx_min(offset - copy->written, sizeof(zeros));
        if (write_all(copy, zeros, len, copy->written, err) < 0)
            return -1;
        copy->written += len;
        progress_show(&copy->file->progress, copy->written);
    }
    return 0;
}

/* Offsets only grow. */
static int
write_at(struct copy *copy, const unsigned char *bytes, size_t len,
         uint64_t offset, struct memctx_error *err)
{
    if (copy->file->is_stream && fill_up(copy, offset, err) < 0)
        return -1;
    copy->written = offset + len;
    copy->file->written_bytes += len;
    return write_all(copy, bytes, len, offset, err);
}

/* len is not 0. Each byte is compared with the one before it. */
static bool
is_zero(const unsigned char *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Write the pages that are not all zero, runs of such pages at once. */
static int
write_block(struct copy *copy, size_t len, uint64_t offset,
            struct memctx_error *err)
{
    size_t start = 0;
    for (size_t at = 0; at < len; at += MEMCTX_PAGE_SIZE) {
        size_t page = (size_t)memctx_min(len - at, MEMCTX_PAGE_SIZE);
        bool zero = is_zero(copy->block + at, page);
        size_t end = zero ? at : at + page;
        if (!zero && end < len)
            continue;
        if (end > start && write_at(copy, copy->block + start, end - start,
                                    offset + start, err) < 0)
            return -1;
        start = at + page;
    }
    return 0;
}

/* Copy the guest-physical range [gpa, end) of a piece. */
static int
copy_run(struct copy *copy, const struct memctx_elfcore_piece *piece,
         uint64_t gpa, uint64_t end, struct memctx_error *err)
{
    while (gpa < end) {
        size_t len = (size_t)memctx_min(end - gpa, BLOCK);
        uint64_t offset = piece->offset + (gpa - piece->gpa);
        if (subject_read(copy->subject, gpa, copy->block, len, err) < 0 ||
            write_block(copy, len, offset, err) < 0)
            return -1;
        copy->copied += len;
        if (!copy->file->is_stream)
            progress_show(&copy->file->progress, copy->copied);
        gpa += len;
    }
    return 0;
}

static int
count_run(struct copy *copy, const struct memctx_elfcore_piece *piece,
          uint64_t gpa, uint64_t end, struct memctx_error *err)
{
    (void)piece;
    (void)err;
    copy->file->progress.total_bytes += end - gpa;
    return 0;
}

typedef int run_fn(struct copy *copy, const struct memctx_elfcore_piece *piece,
                   uint64_t gpa, uint64_t end, struct memctx_error *err);

/* Visit each run of data in a piece. What was never touched is skipped, and
 * stays a hole. */
static int
visit_piece(struct copy *copy, const struct memctx_elfcore_piece *piece,
            run_fn *visit, struct memctx_error *err)
{
    uint64_t gpa = piece->gpa;
    uint64_t limit = piece->gpa + piece->size;
    while (gpa < limit) {
        uint64_t start;
        uint64_t end;
        int found =
            subject_next_data(copy->subject, gpa, limit, &start, &end, err);
        if (found <= 0)
            return found;
        if (start < gpa || end <= start || end > limit)
            return memctx_error_set(err, MEMCTX_BUG,
                                    "data from %#" PRIx64 " to %#" PRIx64
                                    ", asked from %#" PRIx64,
                                    start, end, gpa);
        if (visit(copy, piece, start, end, err) < 0)
            return -1;
        gpa = end;
    }
    return 0;
}

static int
visit_all(struct copy *copy, run_fn *visit, struct memctx_error *err)
{
    size_t n;
    const struct memctx_elfcore_piece *pieces =
        memctx_elfcore_pieces(copy->core, &n);
    for (size_t i = 0; i < n; i++) {
        if (visit_piece(copy, &pieces[i], visit, err) < 0)
            return -1;
    }
    return 0;
}

/* How much there will be to write. The guest may touch more meanwhile. */
static int
estimate(struct copy *copy, struct memctx_error *err)
{
    struct progress *progress = &copy->file->progress;
    progress->doing = "copied";
    if (!progress->is_shown)
        return 0;
    if (!copy->file->is_stream)
        return visit_all(copy, count_run, err);
    progress->total_bytes = memctx_elfcore_size(copy->core);
    return 0;
}

/* Does the kernel still run whose memory was copied? While the agent doubts it,
 * wait for its verdict, at most SETTLE_MS. */
static int
check_same_kernel(const struct subject *subject, struct memctx_error *err)
{
    uint64_t until = clocks_now_ms() + SETTLE_MS;
    struct memctx_error said = MEMCTX_ERROR_INIT;
    while (subject_check(subject, &said) < 0) {
        if (said.kind != MEMCTX_RETRY || clocks_now_ms() >= until) {
            *err = said;
            return -1;
        }
        poll(NULL, 0, 100);
    }
    return 0;
}

static int
copy_all(struct copy *copy, struct memctx_error *err)
{
    size_t len;
    const unsigned char *header = memctx_elfcore_header(copy->core, &len);
    if (estimate(copy, err) < 0 || write_at(copy, header, len, 0, err) < 0 ||
        visit_all(copy, copy_run, err) < 0 ||
        check_same_kernel(copy->subject, err) < 0)
        return -1;
    if (copy->file->is_stream)
        return fill_up(copy, memctx_elfcore_size(copy->core), err);
    if (ftruncate(copy->file->fd, (off_t)memctx_elfcore_size(copy->core)) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot write: %s",
                                strerror(errno));
    return 0;
}

int
corefile_fill(struct corefile *file, const struct memctx_elfcore *core,
              const struct subject *subject, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    unsigned char *block = malloc(BLOCK);
    struct copy copy = {
        .core = core, .subject = subject, .file = file, .block = block};
    if (block == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    int failed = copy_all(&copy, err);
    progress_end(&file->progress);
    return failed;
}

/* ---- the file ----------------------------------------------------------- */

/* A core replaces a regular file. It must not replace a device (/dev/null) or a
 * link (/dev/stdout): nobody means that. A directory is refused here, since
 * rename() would refuse it only after all was copied. */
static int
check_place(const char *path, struct memctx_error *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "%s is there and is no regular file: a core goes "
                            "to a new file, or takes the place of one",
                            path);
}

int
corefile_begin(const char *path, struct corefile *ret, struct memctx_error *err)
{
    struct corefile file = {.path = path};
    if (check_place(path, err) < 0)
        return -1;
    int len = snprintf(file.part, sizeof(file.part), "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof(file.part))
        return memctx_error_set(err, MEMCTX_PERMANENT, "path too long");
    file.fd = mkostemp(file.part, O_CLOEXEC);
    if (file.fd < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot create %s: %s",
                                file.part, strerror(errno));
    progress_init(&file.progress);
    *ret = file;
    return 0;
}

int
corefile_begin_stream(int fd, struct corefile *ret, struct memctx_error *err)
{
    if (isatty(fd) == 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a core is not for a terminal: write it to a "
                                "file or a pipe");
    *ret = (struct corefile){.fd = fd, .is_stream = true};
    progress_init(&ret->progress);
    return 0;
}

static int
put_in_place(const struct corefile *file, struct memctx_error *err)
{
    if (fsync(file->fd) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot write: %s",
                                strerror(errno));
    if (rename(file->part, file->path) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot rename %s to %s: %s", file->part,
                                file->path, strerror(errno));
    return 0;
}

int
corefile_end(struct corefile *file, bool is_complete, struct memctx_error *err)
{
    if (file->is_stream)
        return 0;
    int failed = is_complete ? put_in_place(file, err) : 0;
    if (!is_complete || failed < 0)
        unlink(file->part);
    memctx_close_fd(&file->fd);
    return failed;
}

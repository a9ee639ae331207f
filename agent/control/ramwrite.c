/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Plans a write, opens what it needs for this one write, and undoes the first
 * half if the second fails. It looks at no byte of the guest: where the bytes
 * go a prober has said, which is believed only as far as the RAM goes. */
#include "control/ramwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "common/fileio.h"

#define PARTS_MAX MEMCTX_PROBE_PARTS_MAX
_Static_assert(CONTROL_WRITE_MAX <= MEMCTX_PROBE_TRANSLATE_MAX,
               "so many bytes can be asked for at once");

/* What of the bytes goes to one page. */
struct part {
    uint64_t gpa;
    const struct memctx_source *source;
    uint64_t offset; /* in the source's file, or address in the process */
    const unsigned char *bytes;
    unsigned char before[CONTROL_WRITE_MAX];
    size_t len_bytes;
    int fd; /* for writing; owned */
};

struct plan {
    struct part parts[PARTS_MAX];
    unsigned n_parts;
};

static void
plan_deinit(struct plan *plan)
{
    for (unsigned i = 0; i < PARTS_MAX; i++)
        memctx_close_fd(&plan->parts[i].fd);
}

/* Where RAM at part->gpa is. Extents end with pages, and a part lies in one. */
static int
locate(const struct memctx_rammap *map, struct part *part,
       struct memctx_error *err)
{
    size_t count;
    const struct memctx_extent *e = memctx_rammap_extents(map, &count);
    for (size_t i = 0; i < count; i++) {
        if (!memctx_range_in(part->gpa, part->len_bytes, e[i].gpa, e[i].size))
            continue;
        part->source = memctx_rammap_source(map, e[i].backend);
        part->offset =
            part->source->start + e[i].offset + (part->gpa - e[i].gpa);
        return memctx_rammap_read(map, part->gpa, part->before, part->len_bytes,
                                  err);
    }
    return memctx_error_set(err, MEMCTX_RETRY, "gpa %#" PRIx64 " is not RAM",
                            part->gpa);
}

/* The bytes from `done` on, as many as this part takes. */
static int
add_part(struct plan *plan, const struct ramwrite *w, size_t done,
         struct memctx_error *err)
{
    const struct memctx_probe_part *found = &w->found->parts[plan->n_parts];
    if (found->size > w->len_bytes - done)
        return memctx_error_set(err, MEMCTX_BUG, "more bytes were found");
    struct part *part = &plan->parts[plan->n_parts++];
    part->gpa = found->gpa;
    part->bytes = w->bytes + done;
    part->len_bytes = found->size;
    if (!found->writable)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "gva %#" PRIx64 " is mapped read-only",
                                w->gva + done);
    return locate(w->kernel->map, part, err);
}

/* Of a kernel that runs no more it says nothing that its tables led nowhere. */
static int
make_plan(struct plan *plan, const struct ramwrite *w, struct memctx_error *err)
{
    size_t done = 0;
    if (running_kernel_check(w->kernel, err) < 0)
        return -1;
    if (w->found->why.kind != MEMCTX_OK) {
        *err = w->found->why;
        return -1;
    }
    while (plan->n_parts < w->found->n_parts) {
        if (add_part(plan, w, done, err) < 0)
            return -1;
        done += plan->parts[plan->n_parts - 1].len_bytes;
    }
    return done == w->len_bytes
               ? 0
               : memctx_error_set(err, MEMCTX_BUG, "fewer bytes were found");
}

#define OPEN_TRIES 8

/* For the time of the open alone, and for the owner alone. Somebody may make
 * the file 0444 in between: a reader gets its descriptor just now. */
static int
open_made_writable(int fd, const char *path)
{
    struct stat st;
    int opened = -1;
    errno = EACCES;
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid())
        return -1;
    for (int i = 0; i < OPEN_TRIES && opened < 0 && errno == EACCES; i++) {
        if (fchmod(fd, st.st_mode | S_IWUSR) < 0)
            return -1;
        opened = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    }
    int failed = errno;
    fchmod(fd, st.st_mode & 07777 & ~(mode_t)S_IWUSR);
    errno = failed;
    return opened;
}

/* The owner of a memfd that was made 0444 for readers, without
 * CAP_DAC_OVERRIDE. One at a time: the next would take the mode of meanwhile
 * for the one to put back. */
static int
open_as_owner(int fd, const char *path)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    int opened = open_made_writable(fd, path);
    int failed = errno;
    pthread_mutex_unlock(&lock);
    errno = failed;
    return opened;
}

static int
open_part(struct part *part, struct memctx_error *err)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", part->source->fd);
    part->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (part->fd < 0 && errno == EACCES && part->source->pagemap_fd < 0)
        part->fd = open_as_owner(part->source->fd, path);
    if (part->fd >= 0)
        return 0;
    return memctx_error_set(
        err, MEMCTX_PERMANENT, "guest RAM cannot be opened for writing: %s%s",
        strerror(errno),
        errno == EACCES ? "; give memctxd CAP_DAC_OVERRIDE" : "");
}

static int
put(const struct part *part, const unsigned char *bytes)
{
    return fileio_pwrite_all(part->fd, bytes, part->len_bytes, part->offset);
}

/* One after the other; at the first that fails, all so far are put back. */
static int
carry_out(const struct plan *plan, struct memctx_error *err)
{
    for (unsigned i = 0; i < plan->n_parts; i++) {
        if (put(&plan->parts[i], plan->parts[i].bytes) == 0)
            continue;
        int failed = errno;
        int undone = 0;
        for (unsigned j = 0; j <= i; j++)
            undone |= put(&plan->parts[j], plan->parts[j].before);
        return memctx_error_set(
            err, MEMCTX_PERMANENT, "writing at gpa %#" PRIx64 " failed: %s%s",
            plan->parts[i].gpa, strerror(failed),
            undone < 0 && i > 0 ? "; what was written before stays" : "");
    }
    return 0;
}

static int
write_plan(struct plan *plan, const struct ramwrite *w,
           struct memctx_error *err)
{
    if (make_plan(plan, w, err) < 0)
        return -1;
    for (unsigned i = 0; i < plan->n_parts; i++) {
        if (open_part(&plan->parts[i], err) < 0)
            return -1;
    }
    if (running_kernel_check(w->kernel, err) < 0 || carry_out(plan, err) < 0)
        return -1;
    if (running_kernel_check(w->kernel, err) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_STALE,
                            "the kernel changed while it was written: into "
                            "which of the two is not known");
}

/* A prober may have chosen some of the words, and a user the domain's name. */
static void
log_outcome(const struct ramwrite *w, uint64_t gpa, const char *outcome)
{
    const struct log_subject subject = {.kind = LOG_KIND_ACCESS,
                                        .domain = w->domain};
    log_audit(w->log, &subject,
              "write: uid=%u pid=%d program=%s gva=%#" PRIx64 " gpa=%#" PRIx64
              " bytes=%zu outcome=%s domain=%s",
              (unsigned)w->uid, (int)w->pid, LOG_QUOTE(w->program), w->gva, gpa,
              w->len_bytes, LOG_QUOTE(outcome), LOG_QUOTE(w->domain));
}

int
ramwrite(const struct ramwrite *w, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(plan_deinit)
    struct plan plan = {.parts = {{.fd = -1}, {.fd = -1}}};
    int failed = write_plan(&plan, w, &why);
    log_outcome(w, plan.n_parts > 0 ? plan.parts[0].gpa : 0,
                failed < 0 ? why.message : "done");
    if (failed < 0)
        *err = why;
    return failed;
}

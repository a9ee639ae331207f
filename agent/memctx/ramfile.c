/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One cold bootstrap on a file with RAM. */
#include "memctx/ramfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/invocation.h"
#include "memctx/spool.h"
#include "memctx/rawram.h"

/* Keep the kernels that are not the answer, and say why this one is. */
static int
add_others(struct memctx_datum *datum,
           const struct memctx_search_result *result, size_t chosen,
           struct memctx_error *err)
{
    if (result->n_kernels < 2)
        return 0;
    datum->others = calloc(result->n_kernels, sizeof(datum->others[0]));
    if (datum->others == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < result->n_kernels; i++) {
        if (i != chosen)
            datum->others[datum->n_others++] = result->kernels[i];
    }
    datum->chosen = datum->kernel.wall_clock.time != 0
                        ? MEMCTX_CHOICE_LATEST_TIME
                        : MEMCTX_CHOICE_FIRST;
    return 0;
}

static enum exit_code
make_datum(const struct ram *ram, const struct memctx_search_result *result,
           struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    size_t chosen = memctx_search_latest(result);
    const struct memctx_kernel *kernel = &result->kernels[chosen];
    if (memctx_datum_init(&datum, kernel, ram->map, ram->low, &err) < 0 ||
        add_others(&datum, result, chosen, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    datum.live = MEMCTX_LIVE_UNKNOWN;
    datum.candidates = (unsigned)result->n_kernels;
    *ret = datum;
    datum = (struct memctx_datum){.low = 0};
    return EXIT_DONE;
}

static enum exit_code
not_found(const char *path, const struct memctx_search_result *result,
          const struct memctx_error *err)
{
    if (err->kind != MEMCTX_RETRY)
        return command_fail(EXIT_ERROR, "%s: %s", path, err->message);
    return command_fail(
        EXIT_NOT_THERE, "%s: no kernel found in %" PRIu64 " MiB: %s", path,
        (result->bytes_read + MEMCTX_MIB - 1) / MEMCTX_MIB, err->message);
}

/* The bytes of a file as they stand, from 0 on; where its RAM is they tell in
 * the sandbox. */
static int
open_dump(int fd, struct ram *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    unsigned backend;
    if (memctx_rammap_create(&ret->map, err) < 0 ||
        memctx_rammap_add_backend(ret->map, "ram", memctx_steal_fd(&owned),
                                  NULL, &backend, err) < 0)
        return -1;
    const struct memctx_extent all = {
        .size = memctx_rammap_backend_size(ret->map, backend)};
    return memctx_rammap_add_extent(ret->map, &all, err);
}

static int
open_kdump(int fd, struct ramfile *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    if (kdump_load(&ret->kdump, err) < 0 ||
        memctx_rammap_create(&ret->ram.map, err) < 0)
        return -1;
    return kdump_add(ret->kdump, memctx_steal_fd(&owned), ret->ram.map, err);
}

/* Owns fd. */
static int
open_form(int fd, uint64_t low, struct ramfile *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    if (ret->form == MEMCTX_DUMP_RAW)
        return ram_from_fd(memctx_steal_fd(&owned), "ram", low, &ret->ram, err);
    if (low != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a dump of the form '%s' says itself where its "
                                "RAM is: leave --low out",
                                memctx_dump_form_name(ret->form));
    if (ret->form == MEMCTX_DUMP_KDUMP)
        return open_kdump(memctx_steal_fd(&owned), ret, err);
    return open_dump(memctx_steal_fd(&owned), &ret->ram, err);
}

/* What a file begins with; *len_bytes is less than asked for at its end only.
 */
static int
read_head(int fd, unsigned char *head, size_t *len_bytes,
          struct memctx_error *err)
{
    size_t done = 0;
    while (done < MEMCTX_DUMP_HEAD_BYTES) {
        ssize_t n = read(fd, head + done, MEMCTX_DUMP_HEAD_BYTES - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return memctx_error_set(err, MEMCTX_PERMANENT, "cannot read it: %s",
                                    strerror(errno));
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *len_bytes = done;
    return 0;
}

/* The form that was named, or that the file shows. */
static int
find_form(const struct ramfile_named *named, const unsigned char *head,
          size_t len_bytes, struct ramfile *ret, struct memctx_error *err)
{
    if (named->form != NULL)
        return memctx_dump_form_parse(named->form, &ret->form, err);
    return memctx_dump_recognise(head, len_bytes, &ret->form, err);
}

static bool
is_seekable(int fd)
{
    struct stat st;
    return fstat(fd, &st) < 0 ||
           !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* What a pipe gives is copied. A flattened dump, too: it turns out to be
 * another form then. *fd becomes the copy. */
static int
make_seekable(const struct ramfile_named *named, int *fd, struct ramfile *ret,
              struct memctx_error *err)
{
    unsigned char head[MEMCTX_DUMP_HEAD_BYTES];
    size_t len_bytes;
    int copy;
    if (read_head(*fd, head, &len_bytes, err) < 0 ||
        find_form(named, head, len_bytes, ret, err) < 0)
        return -1;
    bool flat = ret->form == MEMCTX_DUMP_FLAT;
    if (!flat && is_seekable(*fd))
        return 0;
    if ((flat ? spool_unflatten : spool_copy)(*fd, head, len_bytes, &copy,
                                              err) < 0)
        return -1;
    memctx_close_fd(fd);
    *fd = copy;
    ret->is_copy = true;
    return flat && (read_head(copy, head, &len_bytes, err) < 0 ||
                    memctx_dump_recognise(head, len_bytes, &ret->form, err) < 0)
               ? -1
               : 0;
}

static int
open_named(const char *path, int *ret, struct memctx_error *err)
{
    *ret = strcmp(path, "-") == 0
               ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
               : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *ret >= 0
               ? 0
               : memctx_error_set(err, MEMCTX_PERMANENT,
                                  "cannot open guest RAM: %s", strerror(errno));
}

static int
open_file(const struct ramfile_named *named, struct ramfile *ret,
          struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = -1;
    if (open_named(named->path, &fd, err) < 0 ||
        make_seekable(named, &fd, ret, err) < 0)
        return -1;
    return open_form(memctx_steal_fd(&fd), named->low, ret, err);
}

const char *
ramfile_conflict(const struct ramfile_named *named, const char *domain,
                 int64_t timeout_ms)
{
    if ((named->path != NULL) == (domain != NULL))
        return "either DOMAIN or --ram FILE is wanted";
    if (domain != NULL && named->low != 0)
        return "--low goes with --ram only";
    if (domain != NULL && named->form != NULL)
        return "--ram-format goes with --ram only";
    if (domain == NULL && timeout_ms >= 0)
        return "--timeout goes with DOMAIN only";
    return NULL;
}

void
ramfile_deinit(struct ramfile *file)
{
    ram_deinit(&file->ram);
    kdump_unload(file->kdump);
    file->kdump = NULL;
}

enum exit_code
ramfile_open(const struct common_options *common,
             const struct ramfile_named *named, struct ramfile *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(ramfile_deinit) struct ramfile file = {.form = 0};
    if (open_file(named, &file, &err) < 0)
        return command_fail(EXIT_ERROR, "%s: %s", named->path, err.message);
    file.low = named->low;
    trail_init(&file.trail, common->verbose);
    *ret = file;
    file = (struct ramfile){.form = 0};
    return EXIT_DONE;
}

/* Put RAM where the file says that it is. */
static int
lay_out(struct ramfile *file, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_rammap_cleanup) struct memctx_rammap *map = NULL;
    struct ram *ram = &file->ram;
    if (file->form == MEMCTX_DUMP_RAW)
        return 0;
    if (memctx_rammap_create_beside(ram->map, &map, err) < 0 ||
        (file->kdump != NULL
             ? kdump_lay_out(file->kdump, map, err)
             : memctx_dump_lay_out(file->form, ram->map, map, err)) < 0)
        return -1;
    memctx_rammap_destroy(ram->map);
    ram->map = memctx_steal_ptr(&map);
    ram->low = memctx_dump_low(ram->map);
    return 0;
}

/* A core or an export for another tool may be wrong if the layout is. */
static void
warn(const char *path, const struct ramfile *file,
     enum memctx_layout_proof proof)
{
    if (proof == MEMCTX_LAYOUT_ASSUMED)
        fprintf(stderr,
                "warning: %s: %#" PRIx64 " bytes are assumed to be below 4 "
                "GiB, since the kernel does not tell; say so by --low if it "
                "is known\n",
                path, file->ram.low);
    else if (file->low != 0 &&
             file->ram.low !=
                 memctx_min(file->low, memctx_rammap_size(file->ram.map)))
        fprintf(stderr,
                "warning: %s: the kernel has %#" PRIx64 " bytes of its RAM "
                "below 4 GiB, not %#" PRIx64 " as --low says\n",
                path, file->ram.low, file->low);
}

/* Look for kernels, in the layout that the file or the kernel itself tells. */
static int
find(struct ramfile *file, struct memctx_search_result *result,
     enum memctx_layout_proof *proof, struct memctx_error *err)
{
    *proof = MEMCTX_LAYOUT_CERTAIN;
    return file->form == MEMCTX_DUMP_RAW
               ? rawram_find(&file->ram, file->low, &file->trail, result, proof,
                             err)
               : rawram_look(file->ram.map, 0, &file->trail, result, err);
}

enum exit_code
ramfile_probe(const char *path, struct ramfile *file, struct memctx_datum *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_search_result result = {.n_kernels = 0};
    enum memctx_layout_proof proof;
    if (lay_out(file, &err) < 0)
        return command_fail(EXIT_ERROR, "%s: %s", path, err.message);
    if (find(file, &result, &proof, &err) < 0)
        return not_found(path, &result, &err);
    warn(path, file, proof);
    enum exit_code code = make_datum(&file->ram, &result, ret);
    if (code == EXIT_DONE)
        ret->layout = proof;
    return code;
}

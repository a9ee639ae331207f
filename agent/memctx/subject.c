/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens a guest, be it a file or a domain. */
#include "memctx/subject.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "guest/linux/note.h"
#include "memctx/ask.h"
#include "memctx/confine.h"
#include "memctx/connect.h"
#include "reader/reader.h"
#include "text/text.h"

void
subject_deinit(struct subject *subject)
{
    for (size_t i = 0; i < subject->n_paths; i++)
        free(subject->paths[i]);
    free(subject->paths);
    free(subject->extents);
    free(subject->vmcoreinfo);
    free(subject->domain);
    memctx_datum_deinit(&subject->datum);
    ramfile_deinit(&subject->file);
    memctx_reader_close(subject->reader);
    *subject = (struct subject)SUBJECT_INIT;
}

/* Copy the extents, and count the backends that they are in. */
static int
take_extents(struct subject *subject, const struct memctx_extent *from,
             size_t n, struct memctx_error *err)
{
    subject->extents = calloc(n, sizeof(*from));
    if (subject->extents == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < n; i++) {
        subject->extents[i] = from[i];
        if (from[i].backend >= subject->facts.n_backends)
            subject->facts.n_backends = from[i].backend + 1;
    }
    subject->facts.extents = subject->extents;
    subject->facts.n_extents = n;
    return 0;
}

/* An absolute path to the same file, which the caller frees; NULL: out of
 * memory. realpath() would not do: links in /proc/PID/fd may lead to files that
 * have no name any more. */
static char *
make_absolute(const char *path)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *dir = NULL;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    char *ret = NULL;
    if (path[0] == '/')
        return strdup(path);
    dir = getcwd(NULL, 0);
    memctx_text_add(&text, "%s/%s", dir != NULL ? dir : "", path);
    memctx_text_take(&text, &ret, NULL);
    return ret;
}

/* All RAM is in the one file at this path. */
static int
take_path(struct subject *subject, const char *path, struct memctx_error *err)
{
    subject->paths = calloc(1, sizeof(subject->paths[0]));
    if (subject->paths == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    subject->n_paths = 1;
    subject->paths[0] = make_absolute(path);
    if (subject->paths[0] == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    subject->facts.paths = (const char *const *)subject->paths;
    return 0;
}

static int
read_gpa(void *subject, uint64_t gpa, void *buf, size_t len,
         struct memctx_error *err)
{
    return subject_read(subject, gpa, buf, len, err);
}

/* Read the text of VMCOREINFO at the place that the kernel's facts name. A
 * kernel may have none. */
static int
take_vmcoreinfo(struct subject *subject, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum.kernel;
    if (!memctx_linux_has_note(kernel))
        return 0;
    int failed =
        memctx_linux_note_text(kernel, read_gpa, subject, &subject->vmcoreinfo,
                               &subject->facts.vmcoreinfo_len, err);
    subject->facts.vmcoreinfo = subject->vmcoreinfo;
    return failed;
}

/* Hand over what was gathered. */
static void
give(struct subject *from, struct subject *to)
{
    *to = *from;
    to->facts.datum = &to->datum;
    *from = (struct subject)SUBJECT_INIT;
}

/* Can another tool find the bytes of RAM in this file? */
static bool
has_bytes_of_ram(const struct ramfile *file)
{
    return file->form != MEMCTX_DUMP_KDUMP && !file->is_copy;
}

enum exit_code
subject_open_file(const struct common_options *common,
                  const struct ramfile_named *named, struct subject *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    enum exit_code code = ramfile_open(common, named, &subject.file);
    if (code != EXIT_DONE)
        return code;
    subject.name = named->path;
    if (has_bytes_of_ram(&subject.file) &&
        take_path(&subject, named->path, &err) < 0)
        return command_fail(EXIT_ERROR, "%s: %s", named->path, err.message);
    give(&subject, ret);
    return EXIT_DONE;
}

/* ---- domains ------------------------------------------------------------ */

/* Is this the layout of RAM that memctx exec has put into MEMCTX_EXTENTS? */
static bool
is_same_layout(const struct subject *subject, const char *extents)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *now = NULL;
    memctx_export_add_extents(subject->facts.extents, subject->facts.n_extents,
                              &text);
    return extents != NULL && memctx_text_take(&text, &now, NULL) == 0 &&
           strcmp(extents, now) == 0;
}

/* Do we run below memctx exec of the same kernel of the same domain? */
static bool
is_below_exec(const struct subject *subject)
{
    const char *uuid = getenv("MEMCTX_UUID");
    const char *generation = getenv("MEMCTX_GENERATION");
    const char *wanted = memctx_reader_text(subject->reader, "generation");
    return uuid != NULL && generation != NULL && wanted != NULL &&
           strcmp(uuid, memctx_reader_uuid(subject->reader)) == 0 &&
           strcmp(generation, wanted) == 0 &&
           is_same_layout(subject, getenv("MEMCTX_EXTENTS"));
}

/* Make paths of the inherited descriptors, which stand in a list as "3 4".
 * False if the list has less or more than n, or if a backend has no descriptor
 * ("-"): tools need all paths or none. */
static bool
fill_paths(char **paths, size_t n, const char *fds)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t fd;
        struct memctx_text text = MEMCTX_TEXT_INIT;
        fds += strspn(fds, " ");
        if (!memctx_number_take(&fds, 10, INT_MAX, &fd))
            return false;
        memctx_text_add(&text, "/proc/self/fd/%d", (int)fd);
        if (memctx_text_take(&text, &paths[i], NULL) < 0)
            return false;
    }
    return fds[strspn(fds, " ")] == '\0';
}

/* Below memctx exec the files with the RAM are the descriptors it has left. */
int
subject_inherit(struct subject *subject, struct memctx_error *err)
{
    const char *fds = getenv("MEMCTX_FDS");
    if (fds == NULL || !is_below_exec(subject))
        return 0;
    subject->paths =
        calloc(subject->facts.n_backends, sizeof(subject->paths[0]));
    if (subject->paths == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    subject->n_paths = subject->facts.n_backends;
    if (fill_paths(subject->paths, subject->n_paths, fds))
        subject->facts.paths = (const char *const *)subject->paths;
    return 0;
}

/* Some RAM has no descriptor. */
static bool
has_own_memory(const struct subject *subject)
{
    for (size_t i = 0; i < subject->facts.n_backends; i++) {
        if (memctx_reader_fd(subject->reader, (unsigned)i) < 0)
            return true;
    }
    return false;
}

/* The datum, and where its RAM is. */
static int
take_domain(struct subject *subject, const char *ram_path,
            struct memctx_error *err)
{
    size_t n;
    const struct memctx_extent *extents =
        memctx_reader_extents(subject->reader, &n);
    if (memctx_datum_copy(&subject->datum, memctx_reader_datum(subject->reader),
                          err) < 0 ||
        take_extents(subject, extents, n, err) < 0)
        return -1;
    subject->facts.has_own_memory = has_own_memory(subject);
    if (ram_path == NULL)
        return subject_inherit(subject, err);
    if (subject->facts.n_backends != 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "its RAM is in %zu files, and --ram names one",
                                subject->facts.n_backends);
    return take_path(subject, ram_path, err);
}

enum exit_code
subject_open_domain(const struct common_options *common, const char *domain,
                    int64_t timeout_ms, const char *ram_path,
                    struct subject *ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    enum exit_code code =
        connect_reader(common, domain, timeout_ms, &subject.reader);
    if (code != EXIT_DONE)
        return code;
    subject.name = domain;
    if (take_domain(&subject, ram_path, &err) < 0)
        return command_fail(EXIT_ERROR, "domain '%s': %s", domain, err.message);
    subject.facts.domain = domain;
    subject.facts.name = client_text(subject.reader->lease->domain, "name");
    subject.facts.uuid = memctx_reader_uuid(subject.reader);
    give(&subject, ret);
    return EXIT_DONE;
}

enum exit_code
subject_from_datum(const struct common_options *common, const char *domain,
                   int64_t timeout_ms, struct subject *ret)
{
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    enum exit_code code =
        timeout_ms < 0
            ? ask_datum(common, domain, &subject.datum, &subject.domain)
            : ask_datum_within(common, domain, timeout_ms, true, &subject.datum,
                               &subject.domain);
    if (code != EXIT_DONE)
        return code;
    if (subject.domain == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    subject.facts.domain = subject.domain;
    give(&subject, ret);
    return EXIT_DONE;
}

/* ---- looking ------------------------------------------------------------ */

enum exit_code
subject_confine(const struct subject *subject, const struct sandbox_fd *result)
{
    return subject->reader != NULL ? confine_to_reader(subject->reader, result)
                                   : confine_to_file(&subject->file, result);
}

/* The kernel in a file. */
static enum exit_code
find_kernel(struct subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code =
        ramfile_probe(subject->name, &subject->file, &subject->datum);
    if (code != EXIT_DONE)
        return code;
    size_t n;
    const struct memctx_extent *extents =
        memctx_rammap_extents(subject->file.ram.map, &n);
    if (take_extents(subject, extents, n, &err) < 0)
        return subject_fail(subject, &err);
    return EXIT_DONE;
}

enum exit_code
subject_look(struct subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code =
        subject->reader == NULL ? find_kernel(subject) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    if (take_vmcoreinfo(subject, &err) < 0)
        return subject_fail(subject, &err);
    return EXIT_DONE;
}

/* ---- reading ------------------------------------------------------------ */

int
subject_read(const struct subject *subject, uint64_t gpa, void *buf, size_t len,
             struct memctx_error *err)
{
    return subject->reader != NULL
               ? memctx_reader_read_gpa(subject->reader, gpa, buf, len, err)
               : memctx_rammap_read(subject->file.ram.map, gpa, buf, len, err);
}

int
subject_next_data(const struct subject *subject, uint64_t gpa, uint64_t limit,
                  uint64_t *start, uint64_t *end, struct memctx_error *err)
{
    return subject->reader != NULL
               ? memctx_reader_next_data(subject->reader, gpa, limit, start,
                                         end, err)
               : memctx_rammap_next_data(subject->file.ram.map, gpa, limit,
                                         start, end);
}

int
subject_check(const struct subject *subject, struct memctx_error *err)
{
    return subject->reader != NULL
               ? memctx_reader_check(subject->reader, err)
               : memctx_rammap_check(subject->file.ram.map, err);
}

/* ---- parsing ------------------------------------------------------------- */

const struct memctx_rammap *
subject_map(const struct subject *subject)
{
    return subject->reader != NULL ? subject->reader->lease->map
                                   : subject->file.ram.map;
}

int
subject_begin(const struct subject *subject, struct memctx_error *err)
{
    return subject->reader != NULL ? lease_begin(subject->reader->lease, err)
                                   : 0;
}

int
subject_end(const struct subject *subject, int result,
            const struct memctx_error *why, struct memctx_error *err)
{
    if (subject->reader != NULL)
        return lease_end(subject->reader->lease, result, why, err);
    if (result < 0 && err != NULL)
        *err = *why;
    return result;
}

static enum exit_code
fail(const struct subject *subject, const char *why)
{
    return command_fail(EXIT_ERROR,
                        subject->reader == NULL ? "%s: %s" : "domain '%s': %s",
                        subject->name, why);
}

enum exit_code
subject_fail(const struct subject *subject, const struct memctx_error *err)
{
    return fail(subject, err->message);
}

enum exit_code
subject_broken(const struct subject *subject, const char *why)
{
    return why == NULL ? EXIT_DONE : fail(subject, why);
}

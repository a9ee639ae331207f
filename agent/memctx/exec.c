/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx exec: becomes a command that inherits the descriptors of a guest's
 * RAM, and finds the rest in its environment. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/connect.h"

struct exec_options {
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_TIMEOUT(struct exec_options),
    OPTIONS_END,
};

/* As a shell exits that cannot run a command. */
#define EXIT_NOT_RUN 126
#define EXIT_NOT_FOUND 127

/* Linux takes no longer text in an environment (MAX_ARG_STRLEN). */
#define TEXT_MAX (128u * 1024 - 64)

/* What the environment tells of the datum, where it is known. */
static const struct {
    const char *variable;
    const char *path;
} facts[] = {
    {"MEMCTX_GENERATION", "generation"},
    {"MEMCTX_KCR3", "kcr3"},
    {"MEMCTX_LOW", "low"},
    {"MEMCTX_PAGING", "paging"},
    {"MEMCTX_OS", "guest.os"},
    {"MEMCTX_VERSION", "guest.version"},
    {"MEMCTX_IDENTITY", "guest.identity"},
    {"MEMCTX_RAM_SIZE", "ram.size"},
    {"MEMCTX_KERNEL_BASE", "kernel.base"},
    {"MEMCTX_KERNEL_SIZE", "kernel.size"},
    {"MEMCTX_KASLR_OFFSET", "linux.kaslr_offset"},
    {"MEMCTX_PHYS_BASE", "linux.phys_base"},
    {"MEMCTX_KIMAGE_VOFFSET", "linux.kimage_voffset"},
    {"MEMCTX_VMCOREINFO_GPA", "linux.vmcoreinfo.gpa"},
    {"MEMCTX_VMCOREINFO_SIZE", "linux.vmcoreinfo.size"},
    {"MEMCTX_SYSTEM_EPROCESS", "windows.system_eprocess"},
};

/* Set a variable; NULL: take away what an outer memctx exec has left. */
static int
put(const char *variable, const char *value)
{
    return value != NULL ? setenv(variable, value, 1) : unsetenv(variable);
}

static unsigned
count_backends(const struct memctx_extent *e, size_t n)
{
    unsigned count = 0;
    for (size_t i = 0; i < n; i++)
        count = e[i].backend >= count ? e[i].backend + 1 : count;
    return count;
}

/* "3 - 4": the descriptors in order of backends, which are inherited from now
 * on; the first of them that is one in *first. */
static int
put_fds(const struct memctx_reader *reader, FILE *list, int *first)
{
    size_t n;
    const struct memctx_extent *e = memctx_reader_extents(reader, &n);
    unsigned backends = count_backends(e, n);
    for (unsigned i = 0; i < backends; i++) {
        int fd = memctx_reader_fd(reader, i);
        if (fd >= 0 && fcntl(fd, F_SETFD, 0) < 0)
            return -1;
        if (i == 0)
            *first = fd;
        fprintf(list, fd >= 0 ? "%s%d" : "%s-", i > 0 ? " " : "", fd);
    }
    return 0;
}

/* "gpa:size:backend:offset" of each extent. */
static void
put_extents(const struct memctx_reader *reader, FILE *list)
{
    size_t n;
    const struct memctx_extent *e = memctx_reader_extents(reader, &n);
    for (size_t i = 0; i < n; i++)
        fprintf(list, "%s0x%" PRIx64 ":0x%" PRIx64 ":%u:0x%" PRIx64,
                i > 0 ? " " : "", e[i].gpa, e[i].size, e[i].backend,
                e[i].offset);
}

static int
put_ram(const struct memctx_reader *reader)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *fds = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *extents = NULL;
    size_t len;
    int first = -1;
    char number[16];
    FILE *list = open_memstream(&fds, &len);
    if (list == NULL)
        return -1;
    int failed = put_fds(reader, list, &first);
    if (fclose(list) != 0 || failed < 0 ||
        (list = open_memstream(&extents, &len)) == NULL)
        return -1;
    put_extents(reader, list);
    snprintf(number, sizeof(number), "%d", first);
    if (fclose(list) != 0)
        return -1;
    return put("MEMCTX_FD", first >= 0 ? number : NULL) < 0 ||
                   put("MEMCTX_FDS", fds) < 0 ||
                   put("MEMCTX_EXTENTS", extents) < 0
               ? -1
               : 0;
}

static int
put_all(const struct memctx_reader *reader, const char *domain)
{
    const char *json = memctx_reader_json(reader);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(facts); i++) {
        if (put(facts[i].variable, memctx_reader_text(reader, facts[i].path)) <
            0)
            return -1;
    }
    if (put("MEMCTX_DOMAIN", domain) < 0 ||
        put("MEMCTX_UUID", memctx_reader_uuid(reader)) < 0 ||
        put("MEMCTX_JSON", strlen(json) < TEXT_MAX ? json : NULL) < 0)
        return -1;
    return put_ram(reader);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct exec_options *options = in->options;
    const char *domain = in->words[0];
    char **command = in->words + 1;
    MEMCTX_CLEANUP(connect_cleanup_reader) struct memctx_reader *reader = NULL;
    enum exit_code code =
        connect_reader(&in->common, domain, options->timeout_ms, &reader);
    if (code != EXIT_DONE)
        return code;
    if (put_all(reader, domain) < 0)
        return command_fail(EXIT_ERROR, "cannot set the environment: %s",
                            strerror(errno));
    execvp(command[0], command);
    int why = errno;
    command_fail(EXIT_ERROR, "cannot run %s: %s", command[0], strerror(why));
    return (enum exit_code)(why == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

const struct command command_exec = {
    .name = "exec",
    .group = COMMAND_MEMORY,
    .summary = "run a command that can read the guest's RAM",
    .usage = "exec DOMAIN [--timeout S] -- COMMAND [ARGUMENT]...",
    .description =
        "Run COMMAND in place of memctx. It inherits read-only descriptors "
        "of the guest's RAM and finds the datum in its environment: "
        "MEMCTX_FDS, MEMCTX_KCR3 and others, see memctx(1). It must read "
        "with pread(2): mapping the RAM would allocate pages that the guest "
        "never touched." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN", "COMMAND"},
    .min_words = 2,
    .max_words = INT_MAX,
    .options = option_table,
    .options_size = sizeof(struct exec_options),
    .run = run,
};

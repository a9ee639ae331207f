/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prepares libraries for a process that can open nothing, and makes it one. */
#include "memctx/confine.h"

#include <json-c/json.h>
#include <libxml/parser.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "memctx/command.h"
#include "reader/reader.h"
#include "sandbox/sandbox.h"

/* More than any guest makes us want, and less than would hurt the host. */
#define MEMORY_BYTES MEMCTX_GIB

/* stdio looks at a descriptor (fstat, isatty) when it makes a buffer for it. */
static void
make_buffer(FILE *file)
{
    bool is_terminal = isatty(fileno(file)) == 1;
    char *buffer = malloc(BUFSIZ);
    if (buffer != NULL)
        setvbuf(file, buffer, is_terminal ? _IOLBF : _IOFBF, BUFSIZ);
}

/* Any order will do. */
static int
compare(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return 0;
}

/* Until glibc 2.36 qsort() asks how much memory the machine has, once, when it
 * has to sort 1 KiB of pointers or more. */
static void
sort_much(void)
{
    char much[4096] = {0};
    qsort(much, sizeof(much), 1, compare);
}

/* What libraries do when they are first used. json-c asks for random numbers at
 * the first member of an object, and opens /dev/urandom for that where it must;
 * libxml2 makes its tables, and wakes whoever may wait for them; gmtime() reads
 * /etc/localtime, though it needs no time zone. */
static void
use_libraries(void)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "member", NULL);
    json_object_put(object);
    xmlInitParser();
    tzset();
    sort_much();
}

static enum exit_code
enter(struct sandbox *sandbox, const struct sandbox_fd *source,
      const struct sandbox_fd *result)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct sandbox_fd fds[4] = {{STDOUT_FILENO, SANDBOX_WRITE},
                                {STDERR_FILENO, SANDBOX_WRITE}};
    sandbox->fds = fds;
    sandbox->n_fds = 2;
    if (source != NULL)
        fds[sandbox->n_fds++] = *source;
    if (result != NULL)
        fds[sandbox->n_fds++] = *result;
    sandbox->memory_bytes = MEMORY_BYTES;
    sandbox->file_bytes = RLIM_INFINITY;
    make_buffer(stdout);
    use_libraries();
    if (sandbox_enter(sandbox, &err) < 0)
        return command_fail(EXIT_ERROR,
                            "no sandbox to read guest memory in: "
                            "%s",
                            err.message);
    return EXIT_DONE;
}

enum exit_code
confine_to_file(const struct ramfile *file, const struct sandbox_fd *result)
{
    const struct ram *ram = &file->ram;
    struct sandbox sandbox = {.maps = {ram->map, ram->other}};
    const struct sandbox_fd kdump = {memctx_rammap_source(ram->map, 0)->fd,
                                     SANDBOX_MEASURE};
    return enter(&sandbox, file->kdump != NULL ? &kdump : NULL, result);
}

enum exit_code
confine_to_reader(const struct memctx_reader *reader,
                  const struct sandbox_fd *result)
{
    struct sandbox sandbox = {.maps = {reader->lease->map}};
    const struct sandbox_fd agent = {client_socket(reader->lease->client),
                                     SANDBOX_ASK};
    return enter(&sandbox, &agent, result);
}

enum exit_code
confine_alone(void)
{
    struct sandbox sandbox = {.n_fds = 0};
    return enter(&sandbox, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx core: guest memory as an ELF core, in a file or as a mount. All is
 * opened first; then a child reads the guest's memory in a sandbox, and what is
 * left to be done after it (a name, a mount) is done here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "export/readers.h"
#include "memctx/apart.h"
#include "memctx/corefile.h"
#include "memctx/coremount.h"
#include "memctx/subject.h"

struct core_options {
    struct ramfile_named from;
    const char *output;
    const char *mount;
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    {"output", 'o', OPTION_TEXT, "FILE", offsetof(struct core_options, output),
     "write the core to FILE, or - for standard output"},
    {"mount", 0, OPTION_TEXT, "DIR", offsetof(struct core_options, mount),
     "show the core as DIR/core, live and without a copy"},
    COMMAND_OPTION_TIMEOUT(struct core_options),
    RAMFILE_OPTION_PATH(struct core_options, from,
                        "take a file with guest RAM instead of a domain"),
    RAMFILE_OPTIONS_LAYOUT(struct core_options, from),
    OPTIONS_END,
};

/* ---- with the guest's memory, in a sandbox ------------------------------- */

/* What the child has from its parent. */
struct work {
    struct subject subject;
    struct corefile file; /* of --output, or */
    struct coremount *mount;
};

static void
work_deinit(struct work *work)
{
    subject_deinit(&work->subject);
}

/* Whose core it is, how much is in it, and who reads it. */
static void
print_summary(const struct work *work, const struct memctx_elfcore *core)
{
    const struct memctx_kernel *kernel = &work->subject.datum.kernel;
    char words[MEMCTX_EXPORT_KERNEL_MAX];
    char readers[96];
    size_t n;
    memctx_elfcore_pieces(core, &n);
    memctx_export_kernel_words(kernel, words, sizeof(words));
    memctx_readers_names(kernel, readers, sizeof(readers));
    printf("%s: core of %s, %s\n", work->file.path, words,
           memctx_paging_name(kernel->paging));
    printf("%" PRIu64 " MiB of RAM in %zu pieces, %" PRIu64
           " MiB of it written, the rest are holes\n",
           memctx_elfcore_size(core) / MEMCTX_MIB, n,
           work->file.written_bytes / MEMCTX_MIB);
    printf("%s%s\n",
           readers[0] != '\0' ? "read by: "
                              : "no tool that memctx knows reads this paging",
           readers);
}

/* The core of a guest that has been looked at. */
static enum exit_code
make_core(struct work *work)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_elfcore_cleanup) struct memctx_elfcore *core = NULL;
    int failed = corefile_create(&work->subject, &core, &err);
    if (failed == 0 && work->mount != NULL)
        coremount_serve(work->mount, core, &work->subject);
    else if (failed == 0)
        failed = corefile_fill(&work->file, core, &work->subject, &err);
    if (failed < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (work->mount == NULL && !work->file.is_stream)
        print_summary(work, core);
    return EXIT_DONE;
}

static enum exit_code
work_apart(void *arg)
{
    struct work *work = arg;
    const struct sandbox_fd result =
        work->mount != NULL
            ? (struct sandbox_fd){coremount_fd(work->mount), SANDBOX_SERVE}
            : (struct sandbox_fd){work->file.fd, SANDBOX_STORE};
    /* Standard output can be written in any sandbox. */
    enum exit_code code =
        subject_confine(&work->subject, work->file.is_stream ? NULL : &result);
    if (code == EXIT_DONE)
        code = subject_look(&work->subject);
    return code != EXIT_DONE ? code : make_core(work);
}

/* ---- before and after ---------------------------------------------------- */

static enum exit_code
write_core(struct work *work, const char *path)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code = EXIT_ERROR;
    int failed = strcmp(path, "-") == 0
                     ? corefile_begin_stream(STDOUT_FILENO, &work->file, &err)
                     : corefile_begin(path, &work->file, &err);
    if (failed < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    failed = apart_run(work_apart, work, &code, &err);
    if (failed < 0)
        command_fail(EXIT_ERROR, "%s", err.message);
    if (failed > 0)
        progress_take_away(&work->file.progress);
    if (failed > 0 && !work->file.is_stream)
        command_fail(code, "interrupted: %s was not written", path);
    if (corefile_end(&work->file, code == EXIT_DONE, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return code;
}

/* An interrupt is how it usually ends. */
static enum exit_code
mount_core(struct work *work, const char *dir)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code = EXIT_DONE;
    if (coremount_begin(dir, &work->mount, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    int failed = apart_run(work_apart, work, &code, &err);
    coremount_end(work->mount);
    if (failed > 0)
        return EXIT_DONE;
    return failed < 0 ? command_fail(EXIT_ERROR, "%s", err.message) : code;
}

/* Which options go together; NULL: all is well. */
static const char *
find_conflict(const struct core_options *options, const char *domain)
{
    if ((options->output != NULL) == (options->mount != NULL))
        return "either --output FILE or --mount DIR is wanted";
    return ramfile_conflict(&options->from, domain, options->timeout_ms);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct core_options *options = in->options;
    const char *domain = in->words[0]; /* NULL: none was given */
    MEMCTX_CLEANUP(work_deinit)
    struct work work = {.subject = SUBJECT_INIT, .file = {.fd = -1}};
    const char *conflict = find_conflict(options, domain);
    if (conflict != NULL)
        return command_misused(in->command, "%s", conflict);
    enum exit_code code =
        domain == NULL
            ? subject_open_file(&in->common, &options->from, &work.subject)
            : subject_open_domain(&in->common, domain, options->timeout_ms,
                                  NULL, &work.subject);
    if (code != EXIT_DONE)
        return code;
    return options->output != NULL ? write_core(&work, options->output)
                                   : mount_core(&work, options->mount);
}

const struct command command_core = {
    .name = "core",
    .group = COMMAND_MEMORY,
    .summary = "write guest memory as an ELF core, or mount it as one",
    .usage = "core DOMAIN (--output FILE | --mount DIR) [--timeout S]\n"
             "core --ram FILE [--low SIZE] [--ram-format FORM]\n"
             "     (--output FILE | --mount DIR)",
    .description =
        "Make an ELF core of a guest's physical memory, for tools that read "
        "crash dumps. The guest is not stopped. Pages that are zero become "
        "holes of the file; on standard output, which must not be a terminal, "
        "they are written.\n\n"
        "With --mount memctx stays until it is interrupted, the directory "
        "is unmounted, or the domain has stopped." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct core_options),
    .run = run,
};

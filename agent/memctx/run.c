/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx run: starts a tool on a guest. It does in one step what TOOLS of
 * memctx(1) describes: it exports what the tool reads and hands it descriptors
 * of the RAM, or mounts a core where the tool, in the version that is
 * installed, cannot take the layout.
 *
 * The tool runs with all that the user may do. So what it is given as a script
 * or a command line is not written by a process that has read the guest: a
 * child in a sandbox reads the few texts that are needed, and here they are
 * quoted. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "export/readers.h"
#include "memctx/apart.h"
#include "memctx/environment.h"
#include "memctx/gathered.h"
#include "memctx/runtool.h"
#include "memctx/stage.h"

struct run_options {
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_TIMEOUT(struct run_options),
    OPTIONS_END,
};

#define NOTE_MAX (64 * MEMCTX_KIB)

struct run {
    const struct common_options *common;
    const struct runtool *tool;
    const char *domain;
    char program[PATH_MAX];
    struct explained explained;
    struct gathered gathered;
    char *note;   /* owned; VMCOREINFO */
    char *export; /* owned */
    int file;     /* with the export; -1: none */
    char path[32];
    struct stage stage;
};

static void
run_deinit(struct run *run)
{
    stage_deinit(&run->stage);
    memctx_close_fd(&run->file);
    free(run->export);
    free(run->note);
    gathered_deinit(&run->gathered);
    explained_deinit(&run->explained);
}

/* ---- the tool ------------------------------------------------------------ */

/* The first program of the tool that is in PATH; false: there is none. */
static bool
find_program(struct run *run)
{
    const char *path = getenv("PATH");
    for (size_t i = 0; i < RUNTOOL_PROGRAMS_MAX; i++) {
        const char *name = run->tool->programs[i];
        const char *dir = path != NULL ? path : "";
        while (name != NULL && *dir != '\0') {
            int len = (int)strcspn(dir, ":");
            snprintf(run->program, sizeof(run->program), "%.*s/%s", len, dir,
                     name);
            if (len > 0 && access(run->program, X_OK) == 0)
                return true;
            dir += len;
            dir += *dir == ':';
        }
    }
    return false;
}

/* Does the version that is installed read what is exported? */
static bool
is_new_enough(const struct runtool *tool)
{
    char said[256] = "";
    if (tool->version_command == NULL)
        return true;
    FILE *output = popen(tool->version_command, "r");
    if (output == NULL)
        return false;
    said[fread(said, 1, sizeof(said) - 1, output)] = '\0';
    pclose(output);
    bool is_new = runtool_version(said) >= tool->since;
    if (!is_new && tool->older != NULL)
        fprintf(stderr, "warning: this version of %s %s\n", tool->name,
                tool->older);
    return is_new;
}

static enum exit_code
check_kernel(const struct run *run)
{
    const struct memctx_kernel *kernel = &run->explained.subject.datum.kernel;
    char others[96];
    if (memctx_readers_take(run->tool->name, kernel))
        return EXIT_DONE;
    memctx_readers_names(kernel, others, sizeof(others));
    return command_fail(EXIT_ERROR, "%s reads no %s with %s paging%s%s",
                        run->tool->name, memctx_os_name(kernel->os),
                        memctx_paging_name(kernel->paging),
                        others[0] != '\0' ? "; what does: " : "", others);
}

/* ---- what the guest says, read apart ------------------------------------- */

/* What the child writes: this, and the two texts. */
struct said {
    uint32_t banner_len;
    uint32_t note_len;
};

static enum exit_code
write_said(const struct run *run)
{
    const struct memctx_export_subject *facts = &run->explained.subject.facts;
    const struct gathered *gathered = &run->gathered;
    struct said said = {.note_len = (uint32_t)facts->vmcoreinfo_len};
    if (gathered->has_banner)
        said.banner_len = (uint32_t)strlen(gathered->banner.text);
    off_t at = sizeof(said);
    if (pwrite(run->file, &said, sizeof(said), 0) != (ssize_t)sizeof(said) ||
        pwrite(run->file, gathered->banner.text, said.banner_len, at) !=
            (ssize_t)said.banner_len ||
        pwrite(run->file, facts->vmcoreinfo, said.note_len,
               at + said.banner_len) != (ssize_t)said.note_len)
        return command_fail(EXIT_ERROR, "cannot write what the guest says");
    return EXIT_DONE;
}

static enum exit_code
look_apart(void *arg)
{
    struct run *run = arg;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct sandbox_fd result = {run->file, SANDBOX_STORE};
    const struct memctx_export_format *format =
        memctx_export_find(run->tool->name);
    enum exit_code code = explained_enter(&run->explained, &result);
    if (code != EXIT_DONE)
        return code;
    if (gathered_read(&run->explained, 0, memctx_export_wants(format),
                      &run->gathered, &err) < 0)
        return subject_fail(&run->explained.subject, &err);
    return write_said(run);
}

/* The child may be the guest's by now: lengths are checked, texts are any
 * bytes. */
static int
read_said(struct run *run, struct memctx_error *err)
{
    struct memctx_export_subject *facts = &run->explained.subject.facts;
    struct memctx_banner *banner = &run->gathered.banner;
    struct said said;
    off_t at = sizeof(said);
    if (pread(run->file, &said, sizeof(said), 0) != (ssize_t)sizeof(said) ||
        said.banner_len >= sizeof(banner->text) || said.note_len > NOTE_MAX)
        return memctx_error_set(err, MEMCTX_RETRY, "it says nothing sane");
    run->note = calloc(1, said.note_len + 1);
    if (run->note == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (pread(run->file, banner->text, said.banner_len, at) !=
            (ssize_t)said.banner_len ||
        pread(run->file, run->note, said.note_len, at + said.banner_len) !=
            (ssize_t)said.note_len)
        return memctx_error_set(err, MEMCTX_RETRY, "it says too little");
    banner->text[said.banner_len] = '\0';
    facts->banner = said.banner_len > 0 ? banner : NULL;
    facts->vmcoreinfo = said.note_len > 0 ? run->note : NULL;
    facts->vmcoreinfo_len = said.note_len;
    return 0;
}

static enum exit_code
gather(struct run *run)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    enum exit_code code = EXIT_ERROR;
    run->file = memfd_create("memctx", MFD_CLOEXEC);
    if (run->file < 0)
        return command_fail(EXIT_ERROR, "no memory for what the guest says");
    if (apart_run(look_apart, run, &code, &err) != 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (code == EXIT_DONE && read_said(run, &err) < 0)
        code = subject_fail(&run->explained.subject, &err);
    memctx_close_fd(&run->file);
    return code;
}

/* ---- by export ----------------------------------------------------------- */

/* A file that the tool inherits, and opens by its path. */
static int
make_file(struct run *run, size_t len, struct memctx_error *err)
{
    run->file = memfd_create("memctx", 0);
    if (run->file < 0 || pwrite(run->file, run->export, len, 0) != (ssize_t)len)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no memory for what is exported");
    snprintf(run->path, sizeof(run->path), "/proc/self/fd/%d", run->file);
    return 0;
}

/* 0, or -1 with PERMANENT: the tool cannot take such a layout. */
static int
export_text(struct run *run, struct memctx_error *err)
{
    const struct subject *subject = &run->explained.subject;
    size_t len;
    if (memctx_export(memctx_export_find(run->tool->name), &subject->facts,
                      &run->export, &len, err) < 0)
        return -1;
    return make_file(run, len, err);
}

static enum exit_code
prepare_export(struct run *run, bool *refused)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct subject *subject = &run->explained.subject;
    if (environment_put(subject->reader, run->domain, &err) < 0 ||
        subject_inherit(subject, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    enum exit_code code = gather(run);
    if (code == EXIT_DONE && export_text(run, &err) < 0)
        *refused = true;
    return code;
}

/* ---- by core ------------------------------------------------------------- */

static enum exit_code
prepare_core(struct run *run)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (stage_mount(&run->stage, run->common, run->domain, &err) == 0)
        return EXIT_DONE;
    return command_fail(EXIT_ERROR,
                        "%s; without one: memctx core %s --output FILE, and "
                        "TOOLS in memctx(1)",
                        err.message, run->domain);
}

/* ---- both ---------------------------------------------------------------- */

static bool
has_symbols(char **arguments)
{
    for (size_t i = 0; arguments[i] != NULL; i++) {
        if (strcmp(arguments[i], "-s") == 0 ||
            strcmp(arguments[i], "--symbol-dirs") == 0)
            return true;
    }
    return false;
}

/* Volatility says itself what it lacks. */
static void
prepare_symbols(struct run *run, char **arguments)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_kernel *kernel = &run->explained.subject.datum.kernel;
    if (run->tool->wants_symbols && kernel->os == MEMCTX_OS_LINUX &&
        !has_symbols(arguments) &&
        stage_make_symbols(&run->stage, run->common, run->domain, &err) < 0)
        fprintf(stderr, "warning: %s\n", err.message);
}

static enum exit_code
prepare(struct run *run, char **arguments)
{
    bool by_core = run->tool->by_export == NULL || !is_new_enough(run->tool);
    enum exit_code code = EXIT_DONE;
    if (!by_core)
        code = prepare_export(run, &by_core);
    /* What is made from here on is to be removed. */
    apart_hold_signals();
    if (code == EXIT_DONE && by_core)
        code = prepare_core(run);
    if (code == EXIT_DONE)
        prepare_symbols(run, arguments);
    return code;
}

static void
cleanup_words(struct runtool_words *words)
{
    runtool_words_deinit(words);
}

static enum exit_code
start(struct run *run, char **arguments)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(cleanup_words) struct runtool_words words = {.n = 0};
    const struct stage *stage = &run->stage;
    const struct runtool_guest guest = {
        .kernel = &run->explained.subject.datum.kernel,
        .program = run->program,
        .export = run->export,
        .path = run->path,
        .core = stage->mounter > 0 ? stage->core : NULL,
        .symbols = stage->symbols[0] != '\0' ? stage->symbols : NULL,
        .plugins = access(VOLATILITYDIR, R_OK) == 0 ? VOLATILITYDIR : NULL,
        .arguments = arguments,
    };
    if (runtool_command(run->tool, &guest, &words, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    pid_t pid = stage_start(words.word[0], words.word, -1, false, &err);
    if (pid < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    int status = stage_wait(pid);
    return (enum exit_code)(WIFSIGNALED(status)
                                ? EXIT_SIGNALLED + WTERMSIG(status)
                                : WEXITSTATUS(status));
}

static enum exit_code
run_tool(struct run *run, int64_t timeout_ms, char **arguments)
{
    enum exit_code code = subject_open_domain(
        run->common, run->domain, timeout_ms, NULL, &run->explained.subject);
    if (code == EXIT_DONE)
        code = check_kernel(run);
    if (code == EXIT_DONE && !find_program(run))
        code = command_fail(EXIT_NOT_FOUND,
                            "there is no %s in PATH: install it first",
                            run->tool->programs[0]);
    if (code == EXIT_DONE)
        code = prepare(run, arguments);
    return code != EXIT_DONE ? code : start(run, arguments);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct run_options *options = in->options;
    char **arguments = in->words + 2;
    char names[96];
    MEMCTX_CLEANUP(run_deinit)
    struct run run = {
        .common = &in->common,
        .tool = runtool_find(in->words[0]),
        .domain = in->words[1],
        .explained = EXPLAINED_INIT,
        .gathered = GATHERED_INIT,
        .file = -1,
    };
    if (arguments[0] != NULL && strcmp(arguments[0], "--") == 0)
        arguments++;
    if (run.tool != NULL)
        return run_tool(&run, options->timeout_ms, arguments);
    runtool_names(names, sizeof(names));
    return command_misused(in->command, "there is no tool '%s'; there are: %s",
                           in->words[0], names);
}

const struct command command_run = {
    .name = "run",
    .group = COMMAND_MEMORY,
    .summary = "run a tool that looks into guests",
    .usage = "run [--timeout S] TOOL DOMAIN [ARGUMENT]...",
    .description =
        "Run drgn, crash, gdb, makedumpfile, volatility3 or memprocfs on a "
        "guest that runs, with these ARGUMENTs: all that stands behind DOMAIN "
        "is the tool's. The tool gets what it reads, by memctx export or from "
        "a core that is mounted until it ends; Volatility 3 also gets a symbol "
        "table of the guest's kernel. gdb's first ARGUMENT is the vmlinux. "
        "TOOLS in memctx(1) says what each tool needs." COMMAND_ABOUT_DOMAIN,
    .arguments = {"TOOL", "DOMAIN", "ARGUMENT"},
    .min_words = 2,
    .max_words = INT_MAX,
    .own_words = 2,
    .options = option_table,
    .options_size = sizeof(struct run_options),
    .run = run,
};

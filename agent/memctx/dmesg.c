/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx dmesg: the log of a guest's kernel, from its memory. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "explain/logtext.h"
#include "explain/printk.h"
#include "memctx/explained.h"
#include "memctx/keptlogs.h"
#include "memctx/logline.h"

/* How often --follow looks. */
#define POLL_MS 200

/* It goes on for so long while nothing can be read: the guest may be changing
 * what is read, and whether its kernel still runs may be in doubt. */
#define FAILURES_MAX 50u

/* Printed at once; one record more may be in it. */
#define PIECE (256 * MEMCTX_KIB)

struct dmesg_options {
    struct explained_from from;
    bool raw;
    const char *level;
    const char *boot;
    bool follow;
    int64_t since_ms;
    bool json;
};

static const struct option_row option_table[] = {
    {"raw", 'r', OPTION_FLAG, NULL, offsetof(struct dmesg_options, raw),
     "print facility and level, too, and text as it is"},
    {"level", 'l', OPTION_TEXT, "LIST", offsetof(struct dmesg_options, level),
     "print these levels only"},
    {"since", 0, OPTION_SECONDS, "S", offsetof(struct dmesg_options, since_ms),
     "print nothing of the first S seconds of the guest"},
    {"boot", 'b', OPTION_TEXT, "N", offsetof(struct dmesg_options, boot),
     "print a log that was kept; -1: of the last kernel"},
    {"follow", 0, OPTION_FLAG, NULL, offsetof(struct dmesg_options, follow),
     "go on with what the guest will say"},
    COMMAND_OPTION_JSON(struct dmesg_options),
    EXPLAINED_OPTIONS(struct dmesg_options),
    OPTIONS_END,
};

struct reading {
    const struct dmesg_options *options;
    enum memctx_logtext format;
    unsigned levels;
    struct explained explained;
    struct memctx_printk *log;
    uint64_t lost;               /* before the next record that is printed */
    uint64_t printed;            /* records, in all */
    struct memctx_text out;      /* not printed yet */
    struct memctx_text warnings; /* the same, for standard error */
};

static void
reading_deinit(struct reading *r)
{
    memctx_text_deinit(&r->out);
    memctx_text_deinit(&r->warnings);
    memctx_printk_close(r->log);
    explained_deinit(&r->explained);
}

/* ---- records ------------------------------------------------------------- */

static bool
is_wanted(const struct reading *r, const struct memctx_printk_record *record)
{
    int64_t since_ms = r->options->since_ms;
    return (r->levels >> record->level & 1) != 0 &&
           (since_ms < 0 || record->ts_nsec / 1000000 >= (uint64_t)since_ms);
}

static void
add_json(struct reading *r, const struct memctx_printk_record *record)
{
    if (!r->options->follow)
        memctx_text_add(&r->out, "%s", r->printed == 0 ? "" : ",");
    logline_add_json(&r->out, record, r->lost);
    if (r->options->follow)
        memctx_text_add(&r->out, "\n");
}

static void
add_record(struct reading *r, const struct memctx_printk_record *record)
{
    r->lost += record->lost;
    if (!is_wanted(r, record))
        return;
    if (r->options->json)
        add_json(r, record);
    else
        memctx_logtext_add(&r->out, record, r->format);
    if (r->lost > 0 && !r->options->json)
        memctx_text_add(&r->warnings,
                        "warning: %" PRIu64 " records before [%5" PRIu64
                        ".%06" PRIu64 "] were lost\n",
                        r->lost, record->ts_nsec / 1000000000,
                        record->ts_nsec % 1000000000 / 1000);
    r->lost = 0;
    r->printed++;
}

/* Read a piece. 1: there is more; 0; or -1, and what was read before that still
 * counts. */
static int
read_piece(struct reading *r, struct memctx_error *err)
{
    enum memctx_printk_reach reach =
        r->options->follow ? MEMCTX_PRINTK_GROWS : MEMCTX_PRINTK_STANDS;
    struct memctx_printk_record record;
    int got = 1;
    while (got > 0 && r->out.len_bytes < PIECE) {
        got = memctx_printk_next(r->log, reach, &record, err);
        if (got > 0)
            add_record(r, &record);
    }
    if (r->out.failed || r->warnings.failed)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return got;
}

/* False: standard output takes no more; main() reports it. */
static bool
print_piece(struct reading *r)
{
    if (r->out.len_bytes > 0)
        fwrite(r->out.bytes, 1, r->out.len_bytes, stdout);
    r->out.len_bytes = 0;
    if (r->options->follow || r->warnings.len_bytes > 0)
        fflush(stdout);
    if (r->warnings.len_bytes > 0)
        fputs(r->warnings.bytes, stderr);
    r->warnings.len_bytes = 0;
    return !ferror(stdout);
}

/* All that there is now. 0, or -1. Nothing of a piece is printed unless its
 * kernel ran all the time. */
static int
print_records(struct reading *r, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    int got = 1;
    /* Bounded by the budget: each turn but the last reads a piece. */
    while (got > 0) {
        if (subject_begin(&r->explained.subject, err) < 0)
            return -1;
        got = read_piece(r, &why);
        if (explained_end(&r->explained, got < 0 ? -1 : 0, &why, err) < 0 &&
            err->kind != MEMCTX_RETRY) {
            r->out.len_bytes = 0;
            return -1;
        }
        if (!print_piece(r))
            return 0;
    }
    return got;
}

/* ---- the log ------------------------------------------------------------- */

static int
open_log(struct reading *r, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(&r->explained, MEMCTX_PRINTK_STEPS, err) < 0)
        return -1;
    int failed = memctx_printk_open(&r->explained.target, &r->log, &why);
    return explained_end(&r->explained, failed, &why, err);
}

static enum exit_code
dump(struct reading *r)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (r->options->json)
        fputs("{\"records\":[", stdout);
    int failed = print_records(r, &err);
    if (r->options->json && !ferror(stdout))
        puts("]}");
    fflush(stdout); /* so that the error stands behind the lines */
    return failed < 0 ? subject_fail(&r->explained.subject, &err) : EXIT_DONE;
}

/* Until the kernel runs no more, standard output is closed, or nothing can be
 * read for a while. */
static enum exit_code
follow(struct reading *r)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    unsigned failures = 0;
    while (failures < FAILURES_MAX && !ferror(stdout)) {
        int failed = explained_begin(&r->explained, MEMCTX_PRINTK_STEPS, &err);
        if (failed == 0)
            failed = print_records(r, &err);
        if (failed < 0 && err.kind != MEMCTX_RETRY)
            break;
        failures = failed < 0 ? failures + 1 : 0;
        poll(NULL, 0, POLL_MS);
    }
    return ferror(stdout) ? EXIT_ERROR
                          : subject_fail(&r->explained.subject, &err);
}

/* Options that do not go together; NULL: all is well. */
static const char *
find_conflict(const struct dmesg_options *options)
{
    if (options->raw && options->json)
        return "--raw and --json exclude each other";
    if (options->follow && options->from.file.path != NULL)
        return "--follow goes with DOMAIN only";
    if (options->boot != NULL &&
        (options->follow || options->from.file.path != NULL ||
         options->from.timeout_ms >= 0))
        return "--boot goes with DOMAIN, and without --follow and --timeout";
    return NULL;
}

static enum exit_code
print_kept(const struct invocation *in, unsigned levels)
{
    const struct dmesg_options *options = in->options;
    const struct keptlogs_wanted wanted = {.domain = in->words[0],
                                           .boot = options->boot,
                                           .levels = levels,
                                           .since_ms = options->since_ms,
                                           .raw = options->raw,
                                           .json = options->json};
    if (wanted.domain == NULL)
        return command_misused(in->command, "no DOMAIN was given");
    return keptlogs_print(in, &wanted);
}

static enum exit_code
run(const struct invocation *in)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct dmesg_options *options = in->options;
    MEMCTX_CLEANUP(reading_deinit)
    struct reading r = {
        .options = options, .levels = 0xff, .explained = EXPLAINED_INIT};
    const char *conflict = find_conflict(options);
    if (conflict != NULL)
        return command_misused(in->command, "%s", conflict);
    if (options->level != NULL &&
        logline_parse_levels(options->level, &r.levels, &err) < 0)
        return command_misused(in->command, "%s", err.message);
    if (options->boot != NULL)
        return print_kept(in, r.levels);
    if (options->raw)
        r.format = isatty(STDOUT_FILENO) ? MEMCTX_LOGTEXT_RAW_QUOTED
                                         : MEMCTX_LOGTEXT_RAW;
    enum exit_code code =
        explained_open_linux(in, &options->from, &r.explained);
    if (code != EXIT_DONE)
        return code;
    if (open_log(&r, &err) < 0)
        return subject_fail(&r.explained.subject, &err);
    return options->follow ? follow(&r) : dump(&r);
}

const struct command command_dmesg = {
    .name = "dmesg",
    .group = COMMAND_MEMORY,
    .summary = "print the log of a guest's kernel",
    .usage = "dmesg DOMAIN [--follow] [--raw | --json] [--level LIST]\n"
             "     [--since S] [--timeout S]\n"
             "dmesg DOMAIN --boot N [--raw | --json] [--level LIST] [--since "
             "S]\n"
             "dmesg --ram FILE [--low SIZE] [--ram-format FORM]\n"
             "     [--raw | --json] [--level LIST] [--since S]",
    .description =
        "Print what the kernel of a Linux guest has logged, from the guest's "
        "memory: also while it boots, hangs, or after it has panicked. "
        "Nothing runs in the guest for that, and it is not stopped.\n\n"
        "Where memctxd keeps logs (keep_logs in memctxd.conf), --boot -1 is "
        "that of the last kernel which has ended, by a reset or a panic for "
        "example; memctx boots lists them. The domain need not run.\n\n"
        "LIST has levels by comma: emerg, alert, crit, err, warn, notice, "
        "info, debug; err+ means err and all above." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct dmesg_options),
    .run = run,
};

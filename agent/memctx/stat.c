/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx stat: how a guest is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "explain/explain.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

struct stat_options {
    struct explained_from from;
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct stat_options),
    EXPLAINED_OPTIONS(struct stat_options),
    OPTIONS_END,
};

/* ---- reading ------------------------------------------------------------ */

static int
read_stat(struct explained *explained, struct memctx_stat **ret,
          struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, MEMCTX_EXPLAIN_STEPS, err) < 0)
        return -1;
    int result = memctx_explain_stat(&explained->target, ret, &why);
    return explained_end(explained, result, &why, err);
}

/* ---- printing ----------------------------------------------------------- */

/* What a figure is called, and how it is written. */
enum unit {
    COUNT,
    SECONDS,
    TIME,
    BYTES,
    HUNDREDTHS
};

static const struct {
    const char *title;
    enum unit unit;
} rows[MEMCTX_FIGURES] = {
    [MEMCTX_FIGURE_UPTIME] = {"Uptime", SECONDS},
    [MEMCTX_FIGURE_BOOTED] = {"Booted", TIME},
    [MEMCTX_FIGURE_LOAD_1] = {"Load1", HUNDREDTHS},
    [MEMCTX_FIGURE_LOAD_5] = {"Load5", HUNDREDTHS},
    [MEMCTX_FIGURE_LOAD_15] = {"Load15", HUNDREDTHS},
    [MEMCTX_FIGURE_THREADS] = {"Threads", COUNT},
    [MEMCTX_FIGURE_MEM_TOTAL] = {"MemTotal", BYTES},
    [MEMCTX_FIGURE_MEM_FREE] = {"MemFree", BYTES},
    [MEMCTX_FIGURE_MEM_AVAILABLE] = {"MemAvailable", BYTES},
    [MEMCTX_FIGURE_BUFFERS] = {"Buffers", BYTES},
    [MEMCTX_FIGURE_CACHED] = {"Cached", BYTES},
    [MEMCTX_FIGURE_SHMEM] = {"Shmem", BYTES},
    [MEMCTX_FIGURE_TAINTED] = {"Tainted", COUNT},
};

static void
print_title(const char *title)
{
    printf("%s:%*s", title, (int)(15 - strlen(title)), "");
}

static void
print_time(uint64_t seconds)
{
    time_t since = (time_t)seconds;
    struct tm utc;
    char text[32];
    if (gmtime_r(&since, &utc) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        puts(text);
    else
        printf("%" PRIu64 "\n", seconds);
}

static void
print_value(enum unit unit, uint64_t value)
{
    switch (unit) {
    case COUNT:
        printf("%" PRIu64 "\n", value);
        return;
    case SECONDS:
        printf("%" PRIu64 " s\n", value);
        return;
    case TIME:
        print_time(value);
        return;
    case BYTES:
        printf("%" PRIu64 " kB\n", value / 1024);
        return;
    case HUNDREDTHS:
        printf("%" PRIu64 ".%02u\n", value / 100, (unsigned)(value % 100));
        return;
    }
}

static void
print_words(const char *title, const char *words)
{
    if (words[0] == '\0')
        return;
    print_title(title);
    quote_print(words);
    putchar('\n');
}

static void
print_lines(const struct memctx_kernel *kernel, const struct memctx_stat *stat)
{
    const struct memctx_figures *figures = memctx_stat_figures(stat);
    size_t n;
    print_words("Hostname", figures->hostname);
    print_words("Kernel", kernel->version);
    print_words("CommandLine", figures->command_line);
    if (figures->has_panicked)
        print_words("Panicked", figures->panicked ? "yes" : "no");
    if (memctx_figures_has(figures, MEMCTX_FIGURE_TAINTED))
        print_words("Oopsed", figures->oopsed ? "yes" : "no");
    for (unsigned i = 0; i < MEMCTX_FIGURES; i++) {
        if (!memctx_figures_has(figures, i))
            continue;
        print_title(rows[i].title);
        print_value(rows[i].unit, figures->value[i]);
    }
    if (memctx_stat_processes(stat, &n)) {
        print_title("Processes");
        print_value(COUNT, n);
    }
}

static void
add_value(json_object *object, const char *key, enum unit unit, uint64_t value)
{
    char text[MEMCTX_NUMBER_MAX + 4];
    snprintf(text, sizeof(text), "%" PRIu64 ".%02u", value / 100,
             (unsigned)(value % 100));
    json_object_object_add(
        object, key,
        unit == HUNDREDTHS ? json_object_new_double_s((double)value / 100, text)
                           : json_object_new_uint64(value));
}

static void
add_names(json_object *object, const struct memctx_kernel *kernel,
          const struct memctx_figures *figures)
{
    if (figures->hostname[0] != '\0')
        quote_add(object, "hostname", figures->hostname);
    quote_add(object, "kernel", kernel->version);
    if (figures->command_line[0] != '\0')
        quote_add(object, "command_line", figures->command_line);
    if (figures->has_panicked)
        json_object_object_add(object, "panicked",
                               json_object_new_boolean(figures->panicked));
    if (memctx_figures_has(figures, MEMCTX_FIGURE_TAINTED))
        json_object_object_add(object, "oopsed",
                               json_object_new_boolean(figures->oopsed));
}

static void
print_as_json(const struct memctx_kernel *kernel,
              const struct memctx_stat *stat)
{
    const struct memctx_figures *figures = memctx_stat_figures(stat);
    size_t n;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    add_names(object, kernel, figures);
    for (unsigned i = 0; i < MEMCTX_FIGURES; i++) {
        if (memctx_figures_has(figures, i))
            add_value(object, memctx_figure_key(i), rows[i].unit,
                      figures->value[i]);
    }
    if (memctx_stat_processes(stat, &n))
        add_value(object, "processes", COUNT, n);
    print_json(object);
}

static enum exit_code
run(const struct invocation *in)
{
    const struct stat_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_stat_cleanup) struct memctx_stat *stat = NULL;
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    enum exit_code code = explained_open_linux(in, &options->from, &explained);
    if (code != EXIT_DONE)
        return code;
    if (read_stat(&explained, &stat, &err) < 0)
        return subject_fail(&explained.subject, &err);
    const struct memctx_kernel *kernel = &explained.subject.datum.kernel;
    if (options->json)
        print_as_json(kernel, stat);
    else
        print_lines(kernel, stat);
    if (memctx_stat_broken(stat) != NULL)
        fprintf(stderr,
                "warning: memory, uptime and processes are not known: %s\n",
                memctx_stat_broken(stat));
    return EXIT_DONE;
}

const struct command command_stat = {
    .name = "stat",
    .group = COMMAND_MEMORY,
    .summary = "print how a guest is: memory, load, failures",
    .usage = "stat DOMAIN [--json] [--timeout S]\n"
             "stat --ram FILE [--low SIZE] [--ram-format FORM] [--json]",
    .description =
        "Print how a guest's Linux is, from its memory: uptime, load averages, "
        "memory as its /proc/meminfo has it, processes, whether it has "
        "panicked, hostname, command line. No agent, balloon or console is "
        "needed in the guest.\n\n"
        "What this kernel does not tell is left out: a kernel without "
        "CONFIG_DEBUG_INFO_BTF tells neither memory nor uptime, one without "
        "CONFIG_KALLSYMS_ALL neither uptime nor load." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 0,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct stat_options),
    .run = run,
};

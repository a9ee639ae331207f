/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctxd, the daemon: options, configuration, signals, then the agent. */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "common/journal.h"
#include "common/notify.h"
#include "common/exitcode.h"
#include "common/options.h"
#include "metricsfile.h"
#include "publish/retract.h"
#include "systemd.h"
#include "wire/rundir.h"
#include "wire/uri.h"
#include "config/settings.h"
#include "sandbox/capabilities.h"
#include "sandbox/sandbox.h"

#define MALLOC_KEEPS_BYTES 65536
#define ECHO_MS 200
#define LEAVE_S 2 /* for threads to end, after the data are withdrawn */
#define DEFAULT_CONFIG SYSCONFDIR "/memctxd/memctxd.conf"

struct daemon_options {
    const char *uri;         /* NULL: from the configuration */
    const char *config;      /* NULL: the default place, if it is there */
    const char *runtime_dir; /* NULL: from the configuration or the URI */
    bool stub;
    bool retract;
    bool check_config;
    const char *log_level; /* NULL: from the configuration */
    bool help;
    bool version;
};

static const struct option_row option_table[] = {
    {"connect", 'c', OPTION_TEXT, "URI", offsetof(struct daemon_options, uri),
     "watch the domains of this libvirt connection"},
    {"config", 0, OPTION_TEXT, "FILE", offsetof(struct daemon_options, config),
     "configuration file"},
    {"runtime-dir", 0, OPTION_TEXT, "DIR",
     offsetof(struct daemon_options, runtime_dir), "the agent's directory"},
    {"stub", 0, OPTION_FLAG, NULL, offsetof(struct daemon_options, stub),
     "synthetic RAM instead of the domains' own"},
    {"retract", 0, OPTION_FLAG, NULL, offsetof(struct daemon_options, retract),
     "withdraw what an agent that is gone left, and end"},
    {"check-config", 0, OPTION_FLAG, NULL,
     offsetof(struct daemon_options, check_config),
     "say whether the configuration is right, and end"},
    {"log-level", 0, OPTION_TEXT, "LEVEL",
     offsetof(struct daemon_options, log_level),
     "debug, info, warning or error"},
    {"help", 'h', OPTION_FLAG, NULL, offsetof(struct daemon_options, help),
     "print this help"},
    {"version", 'V', OPTION_FLAG, NULL,
     offsetof(struct daemon_options, version), "print the version"},
    OPTIONS_END,
};

static int
fail(int code, const struct memctx_error *err)
{
    fprintf(stderr, "memctxd: error: %s\n", err->message);
    return code;
}

static int
refuse(const struct memctx_error *err)
{
    fail(EXIT_USAGE, err);
    fputs("Try 'memctxd --help'.\n", stderr);
    return EXIT_USAGE;
}

/* Output that was lost (a full disk) is an error, too. */
static int
flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fputs("memctxd: error: cannot write to standard output\n", stderr);
    return EXIT_ERROR;
}

static int
print_help(void)
{
    puts("Usage: memctxd [OPTION]...\n\n"
         "Watch libvirt domains and publish where their kernels' page tables "
         "are.\n\nOptions:");
    options_print(option_table);
    return flush();
}

static int
print_version(void)
{
    puts("memctxd " PACKAGE_VERSION);
    return flush();
}

static int
put_text(char *to, const char *from, const char *option,
         struct memctx_error *err)
{
    if (from == NULL)
        return 0;
    if (strlen(from) >= SETTINGS_TEXT_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT, "--%s is too long",
                                option);
    strcpy(to, from);
    return 0;
}

/* Defaults, then the configuration file, then the command line. The file that
 * was read has to be there the next time, too. */
static int
load_settings(struct daemon_options *options, struct settings *settings,
              struct memctx_error *err)
{
    settings_init(settings);
    /* A tree that was built, but not installed, has its own (./run). */
    if (getenv("MEMCTX_PROBER") != NULL)
        settings->prober = getenv("MEMCTX_PROBER");
    if (options->config == NULL && access(DEFAULT_CONFIG, F_OK) == 0)
        options->config = DEFAULT_CONFIG;
    if (options->config != NULL &&
        settings_read(options->config, settings, err) < 0)
        return -1;
    if (put_text(settings->uri, options->uri, "connect", err) < 0 ||
        put_text(settings->runtime_dir, options->runtime_dir, "runtime-dir",
                 err) < 0 ||
        put_text(settings->log_level, options->log_level, "log-level", err) < 0)
        return -1;
    return 0;
}

static int
choose_dir(const struct settings *settings, char *to, size_t size,
           struct memctx_error *err)
{
    struct uri uri;
    if (settings->runtime_dir[0] != '\0') {
        snprintf(to, size, "%s", settings->runtime_dir);
        return uri_parse(settings->uri, &uri, err);
    }
    return rundir_for_uri(settings->uri, to, size, err);
}

static void
fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* Signals become readable on a descriptor of the event loop, so that none can
 * arrive between a look at a flag and a poll. Blocked before any thread is
 * started, which inherits that. */
static int
open_signals(void)
{
    sigset_t set;
    fill_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What one run of the agent acts by. */
struct daemon {
    struct daemon_options *options;
    struct settings *settings;
    struct log *log;
    const char *dir;
    const struct notify *notify; /* whom to tell how it goes */
};

struct signals {
    const struct daemon *daemon;
    struct agent *agent;
    struct systemd *systemd;
    struct metricsfile *metrics;
    bool stopping;
    struct timespec since; /* monotonic; of the first signal */
};

/* timeout(1) and shells send the same signal twice at once, to the process
 * and to its group: that is one wish, not two. */
static bool
is_echo(const struct signals *signals)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (now.tv_sec - signals->since.tv_sec) * 1000 +
                 (now.tv_nsec - signals->since.tv_nsec) / 1000000;
    return signals->stopping && ms < ECHO_MS;
}

/* SIGHUP: take what may change, or nothing. */
static void
reload(const struct signals *signals)
{
    const struct daemon *d = signals->daemon;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings fresh;
    char fixed[512];
    if (load_settings(d->options, &fresh, &err) < 0) {
        log_say(d->log, LOG_LEVEL_ERROR, LOG_KIND_NOT_RELOADED,
                "the settings stay as they were: %s", err.message);
        return;
    }
    settings_reload(d->settings, &fresh, fixed, sizeof(fixed));
    d->log->level = log_level_from_name(d->settings->log_level);
    log_say(d->log, LOG_LEVEL_INFO, LOG_KIND_RELOADED,
            "the configuration was read again");
    if (fixed[0] != '\0')
        log_say(d->log, LOG_LEVEL_WARNING, LOG_KIND_RELOADED,
                "these keys have changed, and count from the next start of "
                "memctxd on: %s",
                fixed);
    agent_reload(signals->agent);
}

static void
stop(struct signals *signals)
{
    if (is_echo(signals))
        return;
    if (!signals->stopping)
        clock_gettime(CLOCK_MONOTONIC, &signals->since);
    signals->stopping = true;
    agent_stop(signals->agent);
}

static void
on_signal(int handle, int fd, int events, void *opaque)
{
    struct signals *signals = opaque;
    struct signalfd_siginfo info;
    (void)handle;
    (void)events;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            stop(signals);
        } else if (!signals->stopping) {
            systemd_reloading(signals->systemd);
            reload(signals);
            systemd_reloaded(signals->systemd);
        }
    }
}

/* libvirt prints errors to standard error unless told not to; each of ours is
 * reported where it matters. */
static void
ignore_error(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

/* Without signals: it ends by itself, soon. EXIT_DONE, or -1. */
static int
run_retract(const struct settings *settings, const char *dir,
            const struct log *log, struct memctx_error *err)
{
    virSetErrorFunc(NULL, ignore_error);
    if (virEventRegisterDefaultImpl() < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop: %s",
                                virGetLastErrorMessage());
    return retract(settings, dir, log, err);
}

static void
leave(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

static void
leave_refused(int number)
{
    (void)number;
    _exit(EXIT_ERROR);
}

/* From here on nobody reads the descriptor: a signal ends the process, and so
 * does a thread that hangs in libvirt for too long. */
static void
prepare_to_leave(bool failed)
{
    sigset_t set;
    fill_signals(&set);
    signal(SIGHUP, SIG_IGN);
    signal(SIGALRM, failed ? leave_refused : leave);
    signal(SIGTERM, failed ? leave_refused : leave);
    signal(SIGINT, failed ? leave_refused : leave);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    alarm(LEAVE_S);
}

/* Until the agent has stopped. */
static void
turn(struct signals *signals)
{
    bool alive = true;
    while (alive) {
        alive = agent_turn(signals->agent);
        systemd_look(signals->systemd);
        metricsfile_look(signals->metrics);
    }
}

/* An exit code, or -1. */
static int
run_agent(const struct daemon *d, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open_signals();
    struct signals signals = {.daemon = d};
    virSetErrorFunc(NULL, ignore_error);
    /* Before any other libvirt call, or no event is ever delivered. */
    if (fd < 0 || virEventRegisterDefaultImpl() < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no event loop: %s",
                                strerror(errno));
    if (agent_create(d->settings, d->dir, d->options->stub, d->log,
                     &signals.agent, err) < 0)
        return -1;
    if (virEventAddHandle(fd, VIR_EVENT_HANDLE_READABLE, on_signal, &signals,
                          NULL) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "signals cannot be watched");
    if (systemd_create(d->notify, signals.agent, &signals.systemd, err) < 0 ||
        metricsfile_create(d->settings->metrics_file, signals.agent, d->log,
                           &signals.metrics, err) < 0)
        return -1;
    log_say(d->log, LOG_LEVEL_INFO, LOG_KIND_STARTED,
            "memctxd " PACKAGE_VERSION " in %s", d->dir);
    turn(&signals);
    bool failed =
        agent_was_refused(signals.agent) || agent_was_evicted(signals.agent);
    prepare_to_leave(failed);
    systemd_destroy(signals.systemd);
    metricsfile_destroy(signals.metrics);
    agent_destroy(signals.agent);
    return failed ? EXIT_ERROR : EXIT_DONE;
}

/* It was read without a fault. */
static int
print_checked(const struct daemon_options *options)
{
    if (options->config != NULL)
        printf("%s: no fault found\n", options->config);
    else
        puts("there is no configuration file: the defaults hold");
    return flush();
}

/* Parse the command line: there are options only. -1 with PERMANENT. */
static int
parse_options(int argc, char **argv, struct daemon_options *ret,
              struct memctx_error *err)
{
    const struct option_set set = {option_table, ret};
    int first;
    if (options_parse(&set, 1, argc, argv, &first, err) < 0)
        return -1;
    if (first < argc)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "unexpected argument '%s'", argv[first]);
    if (ret->log_level != NULL &&
        log_level_from_name(ret->log_level) == LOG_LEVELS)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--log-level wants debug, info, warning or "
                                "error, found '%s'",
                                ret->log_level);
    return 0;
}

/* Where systemd has led standard error there, in entries with fields. */
static bool
open_journal(struct log_journal *journal)
{
    *journal = (struct log_journal){.fd = -1};
    if (journal_is_stream(getenv("JOURNAL_STREAM"), STDERR_FILENO))
        journal->fd = journal_connect(JOURNAL_SOCKET);
    return journal->fd >= 0;
}

/* What threads use for a moment they give back. glibc keeps a heap for each,
 * and as much free memory in it as twice the largest block that was freed: the
 * arguments of one QEMU are read into a megabyte. None of our threads allocates
 * so often that it would wait for another. */
static void
keep_memory_small(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, MALLOC_KEEPS_BYTES);
    mallopt(M_TRIM_THRESHOLD, MALLOC_KEEPS_BYTES);
    mallopt(M_TOP_PAD, MALLOC_KEEPS_BYTES / 2);
#endif
}

int
main(int argc, char **argv)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct daemon_options options;
    struct settings settings;
    struct notify notify;
    char dir[PATH_MAX];
    notify_init(&notify);
    sandbox_hide_memory();
    keep_memory_small();
    capabilities_clear_ambient();
    xmlInitParser(); /* before there are threads, which would race for it */
    if (parse_options(argc, argv, &options, &err) < 0)
        return refuse(&err);
    if (options.help)
        return print_help();
    if (options.version)
        return print_version();
    if (load_settings(&options, &settings, &err) < 0 ||
        choose_dir(&settings, dir, sizeof(dir), &err) < 0)
        return fail(EXIT_ERROR, &err);
    if (options.check_config)
        return print_checked(&options);
    struct log_journal journal;
    struct log log = {
        .level = log_level_from_name(settings.log_level),
        .priorities = !isatty(STDERR_FILENO),
        .journal = open_journal(&journal) ? &journal : NULL,
    };
    const struct daemon d = {&options, &settings, &log, dir, &notify};
    int code = options.retract ? run_retract(&settings, dir, &log, &err)
                               : run_agent(&d, &err);
    /* Threads that hang in libvirt after a stop at once end here. */
    _exit(code < 0 ? fail(EXIT_ERROR, &err) : code);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Directories, and processes that fill them. */
#include "memctx/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memctx/apart.h"

#define LOOK_NS 20000000 /* how often to look whether the core is there */
#define WORDS_MAX 16

/* ---- processes ----------------------------------------------------------- */

static _Noreturn void
become(const char *program, char *const *words, int output, bool apart,
       pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
        (apart && setpgid(0, 0) < 0) ||
        (output >= 0 && dup2(output, STDOUT_FILENO) < 0))
        _exit(EXIT_NOT_RUN);
    sigprocmask(SIG_SETMASK, &none, NULL);
    _exit((int)command_become(program, words));
}

pid_t
stage_start(const char *program, char *const *words, int output, bool apart,
            struct memctx_error *err)
{
    pid_t parent = getpid();
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start a process: %s", strerror(errno));
    if (pid == 0)
        become(program, words, output, apart, parent);
    return pid;
}

int
stage_wait(pid_t pid)
{
    sigset_t set;
    int status = 0;
    apart_signals(&set);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        int number = sigwaitinfo(&set, NULL);
        if (number == SIGTERM || number == SIGHUP)
            kill(pid, number);
    }
    return status;
}

/* Our own program by its name, by which the agent's log tells of it; one that
 * was replaced meanwhile has none. */
static const char *
find_memctx(char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);
    path[len > 0 ? len : 0] = '\0';
    return access(path, X_OK) == 0 ? path : "/proc/self/exe";
}

/* A memctx that asks the same agent. `words` are its command's. */
static pid_t
start_memctx(const struct common_options *common, const char *const *words,
             int output, struct memctx_error *err)
{
    char path[STAGE_PATH_MAX];
    const char *argv[WORDS_MAX] = {"memctx"};
    size_t n = 1;
    if (common->uri != NULL) {
        argv[n++] = "--connect";
        argv[n++] = common->uri;
    }
    if (common->runtime_dir != NULL) {
        argv[n++] = "--runtime-dir";
        argv[n++] = common->runtime_dir;
    }
    for (size_t i = 0; words[i] != NULL && n < WORDS_MAX - 1; i++)
        argv[n++] = words[i];
    return stage_start(find_memctx(path, sizeof(path)), (char *const *)argv,
                       output, true, err);
}

/* ---- directories --------------------------------------------------------- */

static void
cut_path(const struct stage *stage, const char *name, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s", stage->dir, name);
}

static int
make_dir(const struct stage *stage, const char *name, struct memctx_error *err)
{
    char path[STAGE_PATH_MAX + 32];
    cut_path(stage, name, path, sizeof(path));
    if (mkdir(path, 0700) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot create %s: %s",
                                path, strerror(errno));
    return 0;
}

static int
make_stage(struct stage *stage, struct memctx_error *err)
{
    const char *base = getenv("TMPDIR");
    if (stage->dir[0] != '\0')
        return 0;
    int len = snprintf(stage->dir, sizeof(stage->dir), "%s/memctx.XXXXXX",
                       base != NULL && base[0] == '/' ? base : "/tmp");
    if (len < (int)sizeof(stage->dir) && mkdtemp(stage->dir) != NULL)
        return 0;
    memctx_error_set(err, MEMCTX_PERMANENT, "cannot create a directory: %s",
                     strerror(errno));
    stage->dir[0] = '\0';
    return -1;
}

/* In the order in which they can go. */
static const char *const parts[] = {
    "symbols/linux/kernel.json", "symbols/linux", "symbols", "core", "",
};

void
stage_deinit(struct stage *stage)
{
    char path[STAGE_PATH_MAX + 32];
    if (stage->mounter > 0) {
        kill(stage->mounter, SIGTERM);
        stage_wait(stage->mounter);
    }
    for (size_t i = 0;
         i < sizeof(parts) / sizeof(parts[0]) && stage->dir[0] != '\0'; i++) {
        cut_path(stage, parts[i], path, sizeof(path));
        remove(path);
    }
    *stage = (struct stage){.mounter = 0};
}

/* ---- a core -------------------------------------------------------------- */

/* Who looks at the core waits until it is served; it is there once it is
 * mounted. */
static int
await_core(struct stage *stage, struct memctx_error *err)
{
    const struct timespec look = {.tv_nsec = LOOK_NS};
    sigset_t set;
    apart_signals(&set);
    sigdelset(&set, SIGCHLD);
    while (access(stage->core, R_OK) < 0) {
        if (waitpid(stage->mounter, NULL, WNOHANG) != 0) {
            stage->mounter = 0;
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "there is no live core");
        }
        int number = sigtimedwait(&set, NULL, &look);
        if (number > 0)
            return memctx_error_set(err, MEMCTX_PERMANENT, "interrupted: %s",
                                    strsignal(number));
    }
    return 0;
}

int
stage_mount(struct stage *stage, const struct common_options *common,
            const char *domain, struct memctx_error *err)
{
    char dir[STAGE_PATH_MAX + 32];
    if (make_stage(stage, err) < 0 || make_dir(stage, "core", err) < 0)
        return -1;
    cut_path(stage, "core", dir, sizeof(dir));
    cut_path(stage, "core/core", stage->core, sizeof(stage->core));
    const char *const words[] = {"core", "--mount", dir, "--", domain, NULL};
    pid_t pid = start_memctx(common, words, -1, err);
    if (pid < 0)
        return -1;
    stage->mounter = pid;
    return await_core(stage, err);
}

/* ---- symbols ------------------------------------------------------------- */

int
stage_make_symbols(struct stage *stage, const struct common_options *common,
                   const char *domain, struct memctx_error *err)
{
    char path[STAGE_PATH_MAX + 32];
    const char *const words[] = {"export", "--format", "isf",
                                 "--",     domain,     NULL};
    if (make_stage(stage, err) < 0 || make_dir(stage, "symbols", err) < 0 ||
        make_dir(stage, "symbols/linux", err) < 0)
        return -1;
    cut_path(stage, "symbols/linux/kernel.json", path, sizeof(path));
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot create %s: %s",
                                path, strerror(errno));
    pid_t pid = start_memctx(common, words, fd, err);
    if (pid < 0)
        return -1;
    if (stage_wait(pid) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "there is no symbol table of its kernel");
    cut_path(stage, "symbols", stage->symbols, sizeof(stage->symbols));
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes small files atomically; knows nothing of what is in them. */
#include "publish/statefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/uuid.h"
#include "common/newfile.h"
#include "common/trust.h"

#define MODE 0640
#define PART ".part"
/* "../runs/UUID.part" */
#define NAME_SIZE (MEMCTX_UUID_TEXT_SIZE + 16)

/* The two kinds of files: where they are, seen from domains/, and how their
 * names end. */
struct kind {
    const char *dir;
    const char *suffix;
};

static const struct kind datum = {".", ".xml"};
static const struct kind count = {"../runs", ""};

static void
make_name(const struct kind *kind, const char *uuid, const char *suffix,
          char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s/%s%s", kind->dir, uuid, suffix);
}

/* One of our own names: a UUID and this suffix. */
static bool
has_suffix(const char *name, const char *suffix)
{
    size_t len = strspn(name, "0123456789abcdef-");
    return len == MEMCTX_UUID_TEXT_LEN && strcmp(name + len, suffix) == 0;
}

/* Call `visit` for each entry, with a descriptor of its directory; it may
 * remove the entry. */
static void
for_each_entry(int dirfd, const struct kind *kind,
               void (*visit)(int dirfd, const char *name, void *arg), void *arg)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int copy = openat(dirfd, kind->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int own = openat(dirfd, kind->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL || own < 0)
        return;
    copy = -1; /* the stream's now */
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        visit(own, entry->d_name, arg);
}

static void
remove_datum(int dirfd, const char *name, void *arg)
{
    (void)arg;
    if (has_suffix(name, datum.suffix) || has_suffix(name, PART))
        unlinkat(dirfd, name, 0);
}

static void
remove_part(int dirfd, const char *name, void *arg)
{
    (void)arg;
    if (has_suffix(name, PART))
        unlinkat(dirfd, name, 0);
}

void
statefile_clean(int dirfd)
{
    for_each_entry(dirfd, &datum, remove_datum, NULL);
    for_each_entry(dirfd, &count, remove_part, NULL);
}

/* Why it cannot be opened. A link is not followed: who made it is not known. */
static int
refuse_dir(int at, const char *name, const char *path, struct memctx_error *err)
{
    int why = errno;
    struct stat st;
    if (why == ENOTDIR && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return memctx_error_set(
            err, MEMCTX_PERMANENT, "%s is %s, and must be a directory%s", path,
            S_ISLNK(st.st_mode) ? "a symbolic link" : "none",
            S_ISLNK(st.st_mode) ? "; remove it, or name where it leads" : "");
    return memctx_error_set(err, MEMCTX_PERMANENT, "cannot open %s: %s", path,
                            strerror(why));
}

/* Open a directory that is ours alone to write: whoever else could write into
 * it could lead us to other files, or put a socket of his own there. */
static int
open_own_dir(int at, const char *name, const char *path, int *ret,
             struct memctx_error *err)
{
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse_dir(at, name, path, err);
    if (trust_check(&st, TRUST_OURS, path, err) < 0)
        return -1;
    *ret = memctx_steal_fd(&fd);
    return 0;
}

/* Make a directory; the one it is in, too, which may be a ~/.cache that nobody
 * needed before. */
static int
make_dir(const char *dir)
{
    char parent[PATH_MAX];
    if (mkdir(dir, 0755) == 0 || errno == EEXIST)
        return 0;
    const char *slash = strrchr(dir, '/');
    if (errno != ENOENT || slash == NULL || slash == dir)
        return -1;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - dir), dir);
    return mkdir(parent, 0700) == 0 ? mkdir(dir, 0755) : -1;
}

/* Open a directory inside the agent's own, which is made if need be. */
static int
open_part_dir(int top, const char *dir, const char *name, mode_t mode, int *ret,
              struct memctx_error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    bool made = mkdirat(top, name, mode) == 0;
    if (!made && errno != EEXIST)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot make %s: %s",
                                path, strerror(errno));
    if (open_own_dir(top, name, path, ret, err) < 0)
        return -1;
    /* Whatever the umask, which is 0077 in the unit. */
    if (made)
        fchmod(*ret, mode);
    return 0;
}

int
statefile_open_dir(const char *dir, int *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int top = -1;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int runs = -1;
    if (make_dir(dir) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot make the agent's directory %s: %s", dir,
                                strerror(errno));
    if (open_own_dir(AT_FDCWD, dir, dir, &top, err) < 0 ||
        open_part_dir(top, dir, "runs", 0700, &runs, err) < 0 ||
        open_part_dir(top, dir, "domains", 0755, ret, err) < 0)
        return memctx_error_prefix(err, "the agent's directory");
    return 0;
}

int
statefile_lock_dir(const char *dir, int dirfd, struct memctx_error *err)
{
    if (flock(dirfd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_STALE, "another memctxd uses %s", dir);
}

bool
statefile_is_in_place(const char *dir, int dirfd)
{
    char path[PATH_MAX];
    struct stat there;
    struct stat ours;
    snprintf(path, sizeof(path), "%s/domains", dir);
    return lstat(path, &there) == 0 && fstat(dirfd, &ours) == 0 &&
           there.st_dev == ours.st_dev && there.st_ino == ours.st_ino &&
           faccessat(dirfd, "../runs", F_OK, 0) == 0;
}

int
statefile_replace_dir(const char *dir, int dirfd, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = -1;
    struct stat there;
    struct stat ours;
    if (statefile_open_dir(dir, &fd, err) < 0)
        return -1;
    /* Only what is beside it was missing. */
    if (fstat(fd, &there) == 0 && fstat(dirfd, &ours) == 0 &&
        there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
        return 0;
    if (statefile_lock_dir(dir, fd, err) < 0)
        return -1;
    statefile_clean(fd);
    statefile_clean(dirfd);
    if (dup3(fd, dirfd, O_CLOEXEC) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot use %s: %s", dir,
                                strerror(errno));
    return 0;
}

static int
replace_file(int dirfd, const struct kind *kind, const char *uuid,
             const char *text, struct memctx_error *err)
{
    char part[NAME_SIZE];
    char name[NAME_SIZE];
    make_name(kind, uuid, PART, part);
    make_name(kind, uuid, kind->suffix, name);
    const struct iovec bytes[] = {{(void *)text, strlen(text)},
                                  {(void *)"\n", 1}};
    if (newfile_put(dirfd, part, name, MODE, bytes, MEMCTX_ARRAY_LEN(bytes)) <
        0)
        return memctx_error_set(err, MEMCTX_RETRY, "cannot write %s%s: %s",
                                uuid, kind->suffix, strerror(errno));
    return 0;
}

static void
remove_file(int dirfd, const struct kind *kind, const char *uuid)
{
    char name[NAME_SIZE];
    make_name(kind, uuid, kind->suffix, name);
    unlinkat(dirfd, name, 0);
}

int
statefile_write(int dirfd, const char *uuid, const char *text,
                struct memctx_error *err)
{
    return replace_file(dirfd, &datum, uuid, text, err);
}

void
statefile_remove(int dirfd, const char *uuid)
{
    remove_file(dirfd, &datum, uuid);
}

/* Numbers of a run, each with a blank before it. */
#define NUMBERS_MAX (8 + 2 * MEMCTX_WORDS_MAX)
#define RUN_TEXT_MAX \
    (MEMCTX_KERNEL_WORDS_MAX + (2 + NUMBERS_MAX) * MEMCTX_NUMBER_MAX)

struct numbers {
    size_t n;
    uint64_t number[NUMBERS_MAX];
};

static struct numbers
run_to_numbers(const struct statefile_run *run)
{
    const struct memctx_words *words = &run->words;
    struct numbers ret = {.n = 8,
                          .number = {run->live, run->died, words->per_second,
                                     words->least, words->panic_gpa,
                                     words->log_gpa, words->log_bytes,
                                     words->n}};
    for (size_t i = 0; i < words->n; i++) {
        ret.number[ret.n++] = words->word[i].gpa;
        ret.number[ret.n++] = words->word[i].value;
    }
    return ret;
}

/* A note of an agent before this version has none. */
static bool
run_take_numbers(struct statefile_run *run, const struct numbers *from)
{
    const uint64_t *number = from->number;
    if (from->n == 0)
        return true;
    if (from->n < 8 || number[0] > MEMCTX_LIVE_UNKNOWN || number[1] > 1 ||
        number[7] > MEMCTX_WORDS_MAX || from->n != 8 + 2 * number[7])
        return false;
    run->live = (enum memctx_datum_live)number[0];
    run->died = number[1] != 0;
    run->words = (struct memctx_words){.per_second = number[2],
                                       .least = number[3],
                                       .panic_gpa = number[4],
                                       .log_gpa = number[5],
                                       .log_bytes = number[6],
                                       .n = (size_t)number[7]};
    for (size_t i = 0; i < run->words.n; i++)
        run->words.word[i] =
            (struct memctx_clock){number[8 + 2 * i], number[9 + 2 * i]};
    return true;
}

/* "INSTANCE GENERATION KERNEL", and on a second line the numbers. */
int
statefile_count(int dirfd, const char *uuid, const struct statefile_run *run,
                struct memctx_error *err)
{
    char text[RUN_TEXT_MAX];
    const struct numbers numbers = run_to_numbers(run);
    int used = snprintf(text, sizeof(text), "%" PRIu64 " %u %s\n",
                        run->instance, run->generation, run->kernel);
    for (size_t i = 0; i < numbers.n; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%" PRIu64,
                         i > 0 ? " " : "", numbers.number[i]);
    return replace_file(dirfd, &count, uuid, text, err);
}

static bool
parse_numbers(const char *text, struct numbers *ret)
{
    for (ret->n = 0; *text != '\0' && *text != '\n'; ret->n++) {
        if (ret->n == NUMBERS_MAX ||
            !memctx_number_take(&text, 10, UINT64_MAX, &ret->number[ret->n]))
            return false;
        text += *text == ' ';
    }
    return true;
}

static bool
parse_run(const char *text, struct statefile_run *ret)
{
    struct statefile_run run = {.instance = 0};
    struct numbers numbers;
    uint64_t generation;
    if (!memctx_number_take(&text, 10, UINT64_MAX, &run.instance) ||
        *text++ != ' ' ||
        !memctx_number_take(&text, 10, UINT_MAX, &generation) || *text++ != ' ')
        return false;
    size_t len = strcspn(text, "\n");
    if (len >= sizeof(run.kernel))
        return false;
    run.generation = (unsigned)generation;
    memcpy(run.kernel, text, len);
    text += len + (text[len] == '\n');
    if (!parse_numbers(text, &numbers) || !run_take_numbers(&run, &numbers))
        return false;
    *ret = run;
    return true;
}

struct statefile_run
statefile_counted(int dirfd, const char *uuid, uint64_t instance)
{
    char name[NAME_SIZE];
    char text[RUN_TEXT_MAX] = "";
    struct statefile_run run;
    make_name(&count, uuid, count.suffix, name);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
        parse_run(text, &run) && run.instance == instance)
        return run;
    return (struct statefile_run){.instance = instance};
}

void
statefile_forget(int dirfd, const char *uuid)
{
    remove_file(dirfd, &datum, uuid);
    remove_file(dirfd, &count, uuid);
}

struct known {
    bool (*is_known)(const char *uuid, void *arg);
    void *arg;
};

static void
forget_other(int dirfd, const char *name, void *arg)
{
    const struct known *known = arg;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    if (!has_suffix(name, datum.suffix) && !has_suffix(name, count.suffix))
        return;
    memcpy(uuid, name, MEMCTX_UUID_TEXT_LEN);
    uuid[MEMCTX_UUID_TEXT_LEN] = '\0';
    if (!known->is_known(uuid, known->arg))
        unlinkat(dirfd, name, 0);
}

void
statefile_forget_others(int dirfd,
                        bool (*is_known)(const char *uuid, void *arg),
                        void *arg)
{
    struct known known = {is_known, arg};
    for_each_entry(dirfd, &datum, forget_other, &known);
    for_each_entry(dirfd, &count, forget_other, &known);
}

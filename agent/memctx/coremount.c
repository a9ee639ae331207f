/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Serves an ELF core through libfuse3, in one thread, since a memctx_reader is
 * for one thread at a time. */
#include "memctx/coremount.h"

#ifdef HAVE_FUSE

#define FUSE_USE_VERSION 32
#include <errno.h>
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memctx/corefile.h"

#define NAME "/core"
#define LOOK_MS 500 /* how often to check that the domain is still there */

/* What the operations below work on. libfuse hands it to them. */
struct mount {
    const struct memctx_elfcore *core;
    const struct subject *subject;
    time_t since;
};

static struct mount *
this_mount(void)
{
    return fuse_get_context()->private_data;
}

static void *
start(struct fuse_conn_info *conn, struct fuse_config *config)
{
    (void)conn;
    config->direct_io = 1; /* live: the kernel must keep no page of it */
    config->attr_timeout = 3600;
    config->entry_timeout = 3600;
    return this_mount();
}

static int
get_attributes(const char *path, struct stat *ret, struct fuse_file_info *file)
{
    (void)file;
    const struct mount *mount = this_mount();
    bool is_root = strcmp(path, "/") == 0;
    if (!is_root && strcmp(path, NAME) != 0)
        return -ENOENT;
    memset(ret, 0, sizeof(*ret));
    ret->st_mode = is_root ? S_IFDIR | 0500 : S_IFREG | 0400;
    ret->st_nlink = is_root ? 2 : 1;
    ret->st_size = is_root ? 0 : (off_t)memctx_elfcore_size(mount->core);
    ret->st_uid = getuid();
    ret->st_gid = getgid();
    ret->st_mtime = ret->st_ctime = ret->st_atime = mount->since;
    return 0;
}

static int
list(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
     struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
    (void)offset;
    (void)file;
    (void)flags;
    if (strcmp(path, "/") != 0)
        return -ENOENT;
    fill(buf, ".", NULL, 0, 0);
    fill(buf, "..", NULL, 0, 0);
    fill(buf, &NAME[1], NULL, 0, 0);
    return 0;
}

static int
open_core(const char *path, struct fuse_file_info *file)
{
    if (strcmp(path, NAME) != 0)
        return -ENOENT;
    return (file->flags & O_ACCMODE) == O_RDONLY ? 0 : -EACCES;
}

static int
read_core(const char *path, char *buf, size_t len, off_t offset,
          struct fuse_file_info *file)
{
    (void)path;
    (void)file;
    const struct mount *mount = this_mount();
    if (offset < 0)
        return -EINVAL;
    ssize_t n = corefile_read(mount->core, mount->subject, (uint64_t)offset,
                              buf, len, NULL);
    return n < 0 ? -EIO : (int)n;
}

static const struct fuse_operations operations = {
    .init = start,
    .getattr = get_attributes,
    .readdir = list,
    .open = open_core,
    .read = read_core,
};

static bool
has_left(const struct subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    return subject_check(subject, &err) < 0 && err.kind == MEMCTX_GONE;
}

/* Serve until unmounted, interrupted, or the domain has left. libfuse's own
 * loop would wait for requests alone. Its signal handlers mark the session as
 * exited, and the signal interrupts the poll. */
static void
serve(struct fuse_session *session, const struct subject *subject)
{
    struct fuse_buf buf = {.mem = NULL};
    struct pollfd poller = {.fd = fuse_session_fd(session), .events = POLLIN};
    while (!fuse_session_exited(session)) {
        int ready = poll(&poller, 1, LOOK_MS);
        if (ready == 0 && has_left(subject))
            break;
        if (ready <= 0)
            continue;
        int n = fuse_session_receive_buf(session, &buf);
        if (n == 0 || (n < 0 && n != -EINTR && n != -EAGAIN))
            break; /* unmounted */
        if (n > 0)
            fuse_session_process_buf(session, &buf);
    }
    free(buf.mem);
}

/* libfuse would mount on a file, too, and prints its own errors. */
static int
check_dir(const char *dir, struct memctx_error *err)
{
    struct stat st;
    if (stat(dir, &st) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot mount on %s: %s",
                                dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot mount on %s: %s",
                                dir, strerror(ENOTDIR));
    return 0;
}

static int
mount_and_serve(struct fuse *fuse, const struct subject *subject,
                const char *dir, struct memctx_error *err)
{
    struct fuse_session *session = fuse_get_session(fuse);
    if (fuse_set_signal_handlers(session) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "cannot handle signals");
    int failed = fuse_mount(fuse, dir);
    if (failed < 0) {
        memctx_error_set(err, MEMCTX_PERMANENT,
                         "cannot mount on %s: is it yours, and "
                         "may you open /dev/fuse?",
                         dir);
    } else {
        serve(session, subject);
        fuse_unmount(fuse);
    }
    fuse_remove_signal_handlers(session);
    return failed < 0 ? -1 : 0;
}

static void
cleanup_args(struct fuse_args *args)
{
    fuse_opt_free_args(args);
}

int
coremount_run(const struct memctx_elfcore *core, const struct subject *subject,
              const char *dir, struct memctx_error *err)
{
    static const char *const words[] = {
        "memctx", "-oro,nosuid,nodev,noexec,default_permissions,"
                  "fsname=memctx,subtype=memctx"};
    MEMCTX_CLEANUP(cleanup_args)
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    if (check_dir(dir, err) < 0)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        if (fuse_opt_add_arg(&args, words[i]) < 0)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    struct mount mount = {core, subject, time(NULL)};
    struct fuse *fuse =
        fuse_new(&args, &operations, sizeof(operations), &mount);
    if (fuse == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "libfuse does not start");
    int failed = mount_and_serve(fuse, subject, dir, err);
    fuse_destroy(fuse);
    return failed;
}

#else

int
coremount_run(const struct memctx_elfcore *core, const struct subject *subject,
              const char *dir, struct memctx_error *err)
{
    (void)core;
    (void)subject;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "cannot mount on %s: built without libfuse3", dir);
}

#endif

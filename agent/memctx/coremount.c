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
struct coremount {
    struct fuse *fuse;
    const struct memctx_elfcore *core;
    const struct subject *subject;
    uid_t uid; /* whose it is, and since when */
    gid_t gid;
    time_t since;
};

static const struct coremount *
this_mount(void)
{
    return fuse_get_context()->private_data;
}

/* libfuse would splice, for which it makes pipes: there are none in a
 * sandbox. */
static void *
start(struct fuse_conn_info *conn, struct fuse_config *config)
{
    conn->want &=
        ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    config->direct_io = 1; /* live: the kernel must keep no page of it */
    config->attr_timeout = 3600;
    config->entry_timeout = 3600;
    return fuse_get_context()->private_data;
}

static int
get_attributes(const char *path, struct stat *ret, struct fuse_file_info *file)
{
    (void)file;
    const struct coremount *mount = this_mount();
    bool is_root = strcmp(path, "/") == 0;
    if (!is_root && strcmp(path, NAME) != 0)
        return -ENOENT;
    memset(ret, 0, sizeof(*ret));
    ret->st_mode = is_root ? S_IFDIR | 0500 : S_IFREG | 0400;
    ret->st_nlink = is_root ? 2 : 1;
    ret->st_size = is_root ? 0 : (off_t)memctx_elfcore_size(mount->core);
    ret->st_uid = mount->uid;
    ret->st_gid = mount->gid;
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
    const struct coremount *mount = this_mount();
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

static void
cleanup_args(struct fuse_args *args)
{
    fuse_opt_free_args(args);
}

static struct fuse *
new_fuse(struct coremount *mount)
{
    static const char *const words[] = {
        "memctx", "-oro,nosuid,nodev,noexec,default_permissions,"
                  "fsname=memctx,subtype=memctx"};
    MEMCTX_CLEANUP(cleanup_args)
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (fuse_opt_add_arg(&args, words[i]) < 0)
            return NULL;
    }
    return fuse_new(&args, &operations, sizeof(operations), mount);
}

int
coremount_begin(const char *dir, struct coremount **ret,
                struct memctx_error *err)
{
    if (check_dir(dir, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct coremount *mount = calloc(1, sizeof(*mount));
    if (mount == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    mount->uid = getuid();
    mount->gid = getgid();
    mount->since = time(NULL);
    mount->fuse = new_fuse(mount);
    if (mount->fuse == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "libfuse does not start");
    if (fuse_mount(mount->fuse, dir) < 0) {
        fuse_destroy(mount->fuse);
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot mount on %s: is it yours, and "
                                "may you open /dev/fuse?",
                                dir);
    }
    *ret = memctx_steal_ptr(&mount);
    return 0;
}

int
coremount_fd(const struct coremount *mount)
{
    return fuse_session_fd(fuse_get_session(mount->fuse));
}

/* libfuse's own loop would wait for requests alone. */
void
coremount_serve(struct coremount *mount, const struct memctx_elfcore *core,
                const struct subject *subject)
{
    struct fuse_session *session = fuse_get_session(mount->fuse);
    struct fuse_buf buf = {.mem = NULL};
    struct pollfd poller = {.fd = coremount_fd(mount), .events = POLLIN};
    mount->core = core;
    mount->subject = subject;
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

void
coremount_end(struct coremount *mount)
{
    fuse_unmount(mount->fuse);
    fuse_destroy(mount->fuse);
    free(mount);
}

#else

int
coremount_begin(const char *dir, struct coremount **ret,
                struct memctx_error *err)
{
    (void)ret;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "cannot mount on %s: built without libfuse3", dir);
}

int
coremount_fd(const struct coremount *mount)
{
    (void)mount;
    return -1;
}

void
coremount_serve(struct coremount *mount, const struct memctx_elfcore *core,
                const struct subject *subject)
{
    (void)mount;
    (void)core;
    (void)subject;
}

void
coremount_end(struct coremount *mount)
{
    (void)mount;
}

#endif

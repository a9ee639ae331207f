/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Speaks as much of FUSE as it takes to open one file, see fuse(4). The server
 * is a process that ends with the test: a process that is killed while a thread
 * of its own waits for it would stay for ever. */
#include "fusefile.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (8u << 20)
#define FILE_ID 2u
#define LIFE_S 300 /* whatever becomes of a test that waits for us */

static void
answer(int dev, const struct fuse_in_header *in, const void *body, size_t len)
{
    struct fuse_out_header out = {.len = (unsigned)(sizeof(out) + len),
                                  .unique = in->unique};
    const struct iovec parts[] = {{&out, sizeof(out)},
                                  {(void *)(uintptr_t)body, len}};
    if (writev(dev, parts, len > 0 ? 2 : 1) < 0)
        perror("/dev/fuse");
}

static struct fuse_attr
attr_of(uint64_t id)
{
    return (struct fuse_attr){
        .ino = id,
        .size = id == FILE_ID ? SIZE : 0,
        .nlink = 1,
        .mode = id == FILE_ID ? S_IFREG | 0444 : S_IFDIR | 0755,
    };
}

static void
answer_init(int dev, const struct fuse_in_header *in)
{
    const struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
    answer(dev, in, &out, sizeof(out));
}

static void
answer_statfs(int dev, const struct fuse_in_header *in)
{
    const struct fuse_statfs_out out = {.st = {.bsize = 4096, .namelen = 255}};
    answer(dev, in, &out, sizeof(out));
}

/* Nothing is kept by the kernel: it asks for the attributes each time. */
static void
serve(int dev, struct fusefile_shared *shared, const struct fuse_in_header *in)
{
    const struct fuse_entry_out entry = {.nodeid = FILE_ID,
                                         .attr = attr_of(FILE_ID)};
    const struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
    const struct fuse_open_out opened = {.fh = 1};
    if (in->opcode == FUSE_INIT)
        answer_init(dev, in);
    else if (atomic_load(&shared->sleeps))
        atomic_fetch_add(&shared->asked, 1);
    else if (in->opcode == FUSE_LOOKUP)
        answer(dev, in, &entry, sizeof(entry));
    else if (in->opcode == FUSE_STATFS)
        answer_statfs(dev, in);
    else if (in->opcode == FUSE_GETATTR)
        answer(dev, in, &attr, sizeof(attr));
    else if (in->opcode == FUSE_OPEN)
        answer(dev, in, &opened, sizeof(opened));
    else
        answer(dev, in, NULL, 0);
}

static void
run(int dev, struct fusefile_shared *shared)
{
    static _Alignas(struct fuse_in_header) char buffer[65536];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LIFE_S);
    dup2(dev, 3);
    close_range(4, ~0u, 0);
    while (read(3, buffer, sizeof(buffer)) > 0)
        serve(3, shared, (const struct fuse_in_header *)buffer);
    _exit(0);
}

/* Mount it on f->dir and start the server. */
static bool
start(struct fusefile *f)
{
    char options[128];
    int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof(options),
             "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
    bool mounted = dev >= 0 && mount("memctx", f->dir, "fuse",
                                     MS_NOSUID | MS_NODEV, options) == 0;
    if (mounted) {
        f->server = fork();
        if (f->server == 0)
            run(dev, f->shared);
    }
    if (dev >= 0)
        close(dev);
    return mounted;
}

bool
fusefile_start(struct fusefile *ret)
{
    char path[128];
    memset(ret, 0, sizeof(*ret));
    snprintf(ret->dir, sizeof(ret->dir), "/tmp/memctx-fuse-XXXXXX");
    if (mkdtemp(ret->dir) == NULL)
        abort();
    ret->shared = mmap(NULL, sizeof(*ret->shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!start(ret)) {
        rmdir(ret->dir);
        munmap(ret->shared, sizeof(*ret->shared));
        return false;
    }
    snprintf(path, sizeof(path), "%s/ram", ret->dir);
    ret->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (ret->fd < 0)
        abort();
    return true;
}

void
fusefile_sleep(struct fusefile *f)
{
    atomic_store(&f->shared->sleeps, true);
}

void
fusefile_stop(struct fusefile *f)
{
    kill(f->server, SIGKILL); /* which ends the connection */
    waitpid(f->server, NULL, 0);
    umount2(f->dir, MNT_DETACH);
    rmdir(f->dir);
    close(f->fd);
    munmap(f->shared, sizeof(*f->shared));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* reach [--unguarded] PID FILE SECRET QEMU: what a program with the powers of
 * memctxd, whose code somebody else now chooses, gets of a process of root's
 * (PID), of a file of root's that all may read (FILE) and of one that none may
 * (SECRET), both reached through that process, and of a QEMU. A line for each
 * attempt: its name, and "done" or why not. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/posix_acl_xattr.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sandbox/modes.h"

struct world {
    pid_t pid;
    pid_t qemu;
    char file[PATH_MAX];
    char secret[PATH_MAX];
};

static int
open_of(pid_t pid, const char *name, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return open(path, flags | O_CLOEXEC);
}

static long
read_memory(const struct world *w)
{
    return open_of(w->pid, "mem", O_RDONLY);
}

static long
write_memory(const struct world *w)
{
    return open_of(w->pid, "mem", O_RDWR);
}

static long
write_qemu_memory(const struct world *w)
{
    return open_of(w->qemu, "mem", O_RDWR);
}

static long
read_qemu_memory(const struct world *w)
{
    return open_of(w->qemu, "mem", O_RDONLY);
}

static long
read_secret(const struct world *w)
{
    return open(w->secret, O_RDONLY | O_CLOEXEC);
}

static long
write_file(const struct world *w)
{
    return open(w->file, O_WRONLY | O_CLOEXEC);
}

/* To a mode, and then through it. */
static long
write_after(const struct world *w, long changed)
{
    return changed < 0 ? changed : write_file(w);
}

static long
by_chmod(const struct world *w)
{
    return write_after(w, chmod(w->file, 0666));
}

static long
by_fchmod(const struct world *w)
{
    return write_after(w, fchmod(open(w->file, O_RDONLY | O_CLOEXEC), 0666));
}

static long
by_acl(const struct world *w)
{
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[5];
    } acl = {{POSIX_ACL_XATTR_VERSION},
             {{0x01, 6, (unsigned)-1},   /* its owner */
              {0x02, 6, geteuid()},      /* and we */
              {0x04, 4, (unsigned)-1},   /* its group */
              {0x10, 6, (unsigned)-1},   /* the mask */
              {0x20, 4, (unsigned)-1}}}; /* others */
    return write_after(
        w, setxattr(w->file, "system.posix_acl_access", &acl, sizeof(acl), 0));
}

static long
by_chown(const struct world *w)
{
    return write_after(w, chown(w->file, geteuid(), (gid_t)-1));
}

static long
trace(const struct world *w)
{
    return ptrace(PTRACE_ATTACH, w->pid, NULL, NULL);
}

static long
write_without_descriptor(const struct world *w)
{
    char byte = 0;
    struct iovec iov = {&byte, 1};
    return process_vm_writev(w->pid, &iov, 1, &iov, 1, 0);
}

static long
take_descriptor(const struct world *w)
{
    return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, w->pid, 0), 0, 0);
}

static long
kill_it(const struct world *w)
{
    return kill(w->pid, 0);
}

static long
become_root(const struct world *w)
{
    (void)w;
    return setuid(0);
}

static long
use_ring(const struct world *w)
{
    (void)w;
    return syscall(SYS_io_uring_setup, 1, NULL);
}

static long
mount_something(const struct world *w)
{
    (void)w;
    return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static const struct {
    const char *name;
    long (*run)(const struct world *w);
} attempts[] = {
    {"read-roots-memory", read_memory},
    {"read-secret-file", read_secret},
    {"read-qemu-memory", read_qemu_memory},
    {"write-roots-memory", write_memory},
    {"write-qemu-memory", write_qemu_memory},
    {"write-roots-file", write_file},
    {"write-after-chmod", by_chmod},
    {"write-after-fchmod", by_fchmod},
    {"write-after-acl", by_acl},
    {"write-after-chown", by_chown},
    {"ptrace", trace},
    {"process_vm_writev", write_without_descriptor},
    {"pidfd_getfd", take_descriptor},
    {"kill", kill_it},
    {"setuid", become_root},
    {"io_uring", use_ring},
    {"mount", mount_something},
};

int
main(int argc, char **argv)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct world w = {0};
    int guarded = argc > 1 && strcmp(argv[1], "--unguarded") != 0;
    char **word = argv + 2 - guarded;
    if (argc != 6 - guarded) {
        fprintf(stderr, "usage: reach [--unguarded] PID FILE SECRET QEMU\n");
        return 2;
    }
    w.pid = atoi(word[0]);
    w.qemu = atoi(word[3]);
    snprintf(w.file, sizeof(w.file), "/proc/%d/root%s", (int)w.pid, word[1]);
    snprintf(w.secret, sizeof(w.secret), "/proc/%d/root%s", (int)w.pid,
             word[2]);
    if (guarded && modes_guard(&err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        long got = attempts[i].run(&w);
        printf("%s %s\n", attempts[i].name, got < 0 ? strerror(errno) : "done");
    }
    return 0;
}

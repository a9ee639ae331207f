/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Knows what glibc calls for a program that reads, computes and answers.
 *
 * Not on the list, and why that matters here:
 *   open, socket, pipe, dup, fcntl            no new descriptor, nor an old one
 *                                             under a number without windows
 *   recvmsg                                   the same, but for who asks an
 *                                             agent: there is no number left
 *                                             for what would be received
 *   read, readv, preadv, sendfile, splice,    only pread64 tells the filter
 *   io_uring, aio, process_vm_readv           where it reads
 *   sendmsg                                   no descriptor is passed on
 *   ioctl                                     PAGEMAP_SCAN shows where all of
 *                                             QEMU's memory is, and a filter
 *                                             cannot look at its argument
 *   mmap of a file, mprotect, PROT_EXEC       no new code; touching a mapping
 *                                             of guest RAM would allocate holes
 *   prctl, seccomp, capset, setrlimit         what was given up stays so
 *   clone, execve, kill, ptrace               nobody else is reached */
#include "sandbox/allowlist.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* With any arguments. */
static const int plain[] = {
    SCMP_SYS(pread64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    /* A poll that SIGSTOP and SIGCONT have interrupted goes on by it. */
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Clocks of ours; a negative number, which is a large one here, is the clock of
 * another process. */
#define CLOCKS 16

#define ALL_BUT(bits) (~(scmp_datum_t)(bits))

/* A rule of each, whose comparisons must all hold. */
static const struct {
    int call;
    unsigned n;
    struct scmp_arg_cmp tests[2];
} careful[] = {
    {SCMP_SYS(clock_gettime), 1, {{0, SCMP_CMP_LT, CLOCKS, 0}}},
    /* Memory for malloc(), neither shared, of a file, at a place of one's own
     * choice nor to be executed. */
    {SCMP_SYS(mmap),
     2,
     {{2, SCMP_CMP_MASKED_EQ, ALL_BUT(PROT_READ | PROT_WRITE), 0},
      {3, SCMP_CMP_MASKED_EQ, ALL_BUT(MAP_NORESERVE | MAP_STACK),
       MAP_PRIVATE | MAP_ANONYMOUS}}},
    {SCMP_SYS(mremap), 1, {{3, SCMP_CMP_EQ, MREMAP_MAYMOVE, 0}}},
};

/* What is sent goes without an address, to whom the socket is connected. */
#define UNADDRESSED          \
    {                        \
        4, SCMP_CMP_EQ, 0, 0 \
    }
/* A filter cannot look at the path, which is meant to be empty: who is taken
 * over could ask how large a file is that it may not open. */
#define NO_PATH                          \
    {                                    \
        3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0 \
    }

/* With a descriptor as the first argument, for one of its uses. */
static const struct {
    unsigned use;
    int call;
    unsigned n; /* further tests */
    struct scmp_arg_cmp test;
} uses[] = {
    {SANDBOX_WRITE, SCMP_SYS(write), 0, {0}},
    {SANDBOX_STORE, SCMP_SYS(pwrite64), 0, {0}},
    {SANDBOX_STORE, SCMP_SYS(ftruncate), 0, {0}},
    {SANDBOX_TALK, SCMP_SYS(recvfrom), 0, {0}},
    {SANDBOX_TALK, SCMP_SYS(sendto), 1, UNADDRESSED},
    {SANDBOX_ASK, SCMP_SYS(recvmsg), 0, {0}},
    {SANDBOX_ASK, SCMP_SYS(sendto), 1, UNADDRESSED},
    {SANDBOX_ASK, SCMP_SYS(shutdown), 0, {0}},
    {SANDBOX_SERVE, SCMP_SYS(read), 0, {0}},
    {SANDBOX_SERVE, SCMP_SYS(writev), 0, {0}},
    {SANDBOX_HEAR, SCMP_SYS(read), 0, {0}},
    {SANDBOX_MEASURE, SCMP_SYS(fstat), 0, {0}},
    {SANDBOX_MEASURE, SCMP_SYS(newfstatat), 1, NO_PATH},
};

static void
release(scmp_filter_ctx *filter)
{
    seccomp_release(*filter);
}

/* 0 or a negative errno value, as libseccomp does it. */
static int
add_plain(scmp_filter_ctx filter)
{
    int failed = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(plain) && failed == 0; i++)
        failed =
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, plain[i], 0, NULL);
    return failed;
}

static int
add_careful(scmp_filter_ctx filter)
{
    int failed = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(careful) && failed == 0; i++)
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, careful[i].call,
                                        careful[i].n, careful[i].tests);
    return failed;
}

static int
add_descriptor(scmp_filter_ctx filter, const struct sandbox_fd *fd)
{
    int failed = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(uses) && failed == 0; i++) {
        const struct scmp_arg_cmp tests[] = {
            {0, SCMP_CMP_EQ, (scmp_datum_t)fd->fd, 0},
            uses[i].test,
        };
        if ((fd->use & uses[i].use) != 0)
            failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
                                            uses[i].call, 1 + uses[i].n, tests);
    }
    return failed;
}

static int
add_rules(scmp_filter_ctx filter, const struct sandbox_fd *fds, size_t n_fds)
{
    /* First in line: most calls are this one. */
    int failed = seccomp_syscall_priority(filter, SCMP_SYS(pread64), UINT8_MAX);
    if (failed == 0)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                  SCMP_ACT_KILL_PROCESS);
    if (failed == 0)
        failed = add_plain(filter);
    if (failed == 0)
        failed = add_careful(filter);
    for (size_t i = 0; i < n_fds && failed == 0; i++)
        failed = add_descriptor(filter, &fds[i]);
    return failed;
}

int
allowlist_load(const struct sandbox_fd *fds, size_t n_fds,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(release)
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    /* It asks the kernel whether it can kill a process. */
    if (filter == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "seccomp(2) is refused: by the kernel, or by "
                                "a filter that is there already");
    int failed = add_rules(filter, fds, n_fds);
    if (failed != 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "the list of system calls is refused: %s",
                                strerror(-failed));
    failed = seccomp_load(filter);
    if (failed != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the kernel takes no seccomp filter: %s",
                                strerror(-failed));
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A filter in the kernel's own language: it needs no libseccomp, which memctxd
 * does not link. */
#include "sandbox/modes.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/bytes.h"
#include "sandbox/capabilities.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define NATIVE AUDIT_ARCH_RISCV64
#endif

/* Calls of x32 (see asm/unistd_x32.h) have the arch of x86-64 and this bit. No
 * other 64-bit ABI has a number as large. */
#define X32_BIT 0x40000000

/* Newer than some headers; one number on all architectures. */
#define NR_FCHMODAT2 452  /* Linux 6.6 */
#define NR_SETXATTRAT 463 /* Linux 6.13 */

/* What nobody is to get by a mode. */
#define FORBIDDEN (S_ISUID | S_ISGID | S_ISVTX | S_IWGRP | S_IWOTH)

#define WORD(field) (offsetof(struct seccomp_data, field))

#ifdef NATIVE

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)
/* The next instruction is for this number alone. */
#define IF(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)

/* clang-format off */
static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
    REFUSE,
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
    REFUSE,
#ifdef SYS_chmod
    IF(SYS_chmod), REFUSE,
#endif
    IF(SYS_fchmodat), REFUSE,
    IF(NR_FCHMODAT2), REFUSE,
    /* Access control lists are extended attributes. */
    IF(SYS_setxattr), REFUSE,
    IF(SYS_lsetxattr), REFUSE,
    IF(SYS_fsetxattr), REFUSE,
    IF(NR_SETXATTRAT), REFUSE,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmod, 1, 0),
    ANSWER(SECCOMP_RET_ALLOW),
    /* The kernel takes the low half of the argument, and its mode's bits of
     * that. */
    LOAD(args[1]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FORBIDDEN, 0, 1),
    REFUSE,
    ANSWER(SECCOMP_RET_ALLOW),
};
/* clang-format on */

static int
load(struct memctx_error *err)
{
    const struct sock_fprog program = {
        .len = MEMCTX_ARRAY_LEN(filter),
        .filter = (struct sock_filter *)filter,
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "memctxd has CAP_FOWNER, and the kernel takes no "
                            "filter that bounds what it is good for: %s",
                            strerror(errno));
}

#else

static int
load(struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "on this architecture nothing bounds CAP_FOWNER; "
                            "run memctxd without it");
}

#endif

int
modes_guard(struct memctx_error *err)
{
#ifdef INSTRUMENTED
    (void)err;
    return 0;
#endif
    return capabilities_has(CAP_FOWNER) && !capabilities_has(CAP_DAC_OVERRIDE)
               ? load(err)
               : 0;
}

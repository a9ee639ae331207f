/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The rules are those of ptrace_may_access() (kernel/ptrace.c; ptrace(2),
 * "Ptrace access mode checking"): without CAP_SYS_PTRACE both user and group
 * must be QEMU's. /proc/PID/fd is a directory of mode 0500, mem and pagemap
 * files of mode 0600 and 0400: for another user they take CAP_DAC_READ_SEARCH
 * beside. A process that is not dumpable is nobody's but CAP_SYS_PTRACE's,
 * whoever its user is. Yama bars PTRACE_MODE_ATTACH, which mem takes and fd
 * does not. */
#include "backing/rights.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

#define SHARED                                                     \
    "<memoryBacking><source type='memfd'/><access mode='shared'/>" \
    "</memoryBacking>"

/* Of kernel.yama.ptrace_scope: no capability helps, and it stays so
 * (Documentation/admin-guide/LSM/Yama.rst). */
#define YAMA_NOBODY 3

static bool
has(const struct rights *r, unsigned capability)
{
    return (r->capabilities >> capability & 1) != 0;
}

/* The beginning of a file of /proc; "" when it cannot be read. */
static void
read_text(const char *path, char *to, size_t size)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, to, size - 1) : 0;
    to[n > 0 ? n : 0] = '\0';
}

/* The number that a text begins with, behind blanks; 0: it does not. */
static uint64_t
number_at(const char *text, unsigned base)
{
    uint64_t number = 0;
    text += strspn(text, " \t");
    memctx_number_take(&text, base, UINT64_MAX, &number);
    return number;
}

/* "1 1" is on now, and on once changes are committed. */
static bool
selinux_denies_ptrace(void)
{
    char text[8];
    read_text("/sys/fs/selinux/booleans/deny_ptrace", text, sizeof(text));
    return text[0] == '1';
}

/* "NAME (enforce)", or "unconfined". SELinux has a context in the same file,
 * and no mode behind it; what only complains is no reason. The first is there
 * since Linux 5.8. */
static void
read_profile(char *to, size_t size)
{
    char text[256];
    read_text("/proc/self/attr/apparmor/current", text, sizeof(text));
    if (text[0] == '\0')
        read_text("/proc/self/attr/current", text, sizeof(text));
    char *mode = strstr(text, " (enforce)");
    if (mode != NULL)
        *mode = '\0';
    snprintf(to, size, "%.*s", (int)size - 1, mode != NULL ? text : "");
}

void
rights_look(const struct process *process, struct rights *ret)
{
    char text[4096];
    struct stat st;
    memset(ret, 0, sizeof(*ret));
    ret->uid = geteuid();
    ret->gid = getegid();
    read_text("/proc/self/status", text, sizeof(text));
    const char *effective = strstr(text, "\nCapEff:");
    if (effective != NULL)
        ret->capabilities = number_at(effective + strlen("\nCapEff:"), 16);
    read_text("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text));
    ret->yama = (int)number_at(text, 10);
    ret->deny_ptrace = selinux_denies_ptrace();
    read_profile(ret->profile, sizeof(ret->profile));
    /* /proc/PID belongs to the process' user and group, and so do the files in
     * it, unless it is not dumpable: then they are root's (task_dump_owner() in
     * the kernel's fs/proc/base.c). */
    if (fstat(process->procfd, &st) == 0) {
        ret->qemu_uid = st.st_uid;
        ret->qemu_gid = st.st_gid;
    }
    ret->undumpable = fstatat(process->procfd, "maps", &st, 0) == 0 &&
                      st.st_uid != ret->qemu_uid;
}

/* QEMU's user would do, were it dumpable. */
static void
cure_undumpable(char *to, size_t size)
{
    snprintf(to, size,
             "QEMU is not dumpable: make its program's file readable (chmod "
             "a+r), and take capabilities and set-id bits from it, or run "
             "memctxd with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
}

/* The capabilities are there, and somebody else says no. */
static void
cure_module(const struct rights *r, bool own_memory, char *to, size_t size)
{
    if (r->deny_ptrace)
        snprintf(to, size,
                 "SELinux forbids it to everybody: setsebool -P deny_ptrace "
                 "off");
    else if (r->profile[0] != '\0')
        snprintf(to, size,
                 "AppArmor: let QEMU's profile be read: \"ptrace (readby, "
                 "tracedby) peer=%s,\" in abstractions/libvirt-qemu.d",
                 r->profile);
    else if (own_memory && r->yama >= YAMA_NOBODY)
        snprintf(to, size,
                 "kernel.yama.ptrace_scope is 3 until the host restarts: lower "
                 "it there, or add " SHARED);
    else
        snprintf(to, size, "look for a security module that forbids it");
}

void
rights_cure(const struct rights *r, bool own_memory, char *to, size_t size)
{
    bool trace = has(r, CAP_SYS_PTRACE);
    bool same_user = r->uid == r->qemu_uid;
    if (trace && !has(r, CAP_DAC_READ_SEARCH) && (!same_user || r->undumpable))
        snprintf(to, size, "add CAP_DAC_READ_SEARCH to CAP_SYS_PTRACE");
    else if (trace)
        cure_module(r, own_memory, to, size);
    else if (same_user && r->undumpable)
        cure_undumpable(to, size);
    else if (same_user && r->gid != r->qemu_gid)
        snprintf(to, size,
                 "run memctxd with QEMU's group, gid %u (it has gid %u), or "
                 "with CAP_SYS_PTRACE",
                 (unsigned)r->qemu_gid, (unsigned)r->gid);
    else if (same_user && own_memory && r->yama > 0)
        snprintf(to, size,
                 "add CAP_SYS_PTRACE, or set kernel.yama.ptrace_scope to 0, or "
                 "add " SHARED);
    else if (has(r, CAP_DAC_READ_SEARCH))
        snprintf(to, size, "add CAP_SYS_PTRACE to CAP_DAC_READ_SEARCH");
    else if (same_user)
        snprintf(to, size,
                 "QEMU has capabilities that memctxd lacks, or a security "
                 "module forbids it: add CAP_SYS_PTRACE");
    else if (r->undumpable)
        snprintf(to, size,
                 "run memctxd as root, or with CAP_SYS_PTRACE and "
                 "CAP_DAC_READ_SEARCH: QEMU is not dumpable");
    else
        snprintf(to, size,
                 "run memctxd as root, as QEMU's user and group (%u:%u), or "
                 "with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
                 (unsigned)r->qemu_uid, (unsigned)r->qemu_gid);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds guest RAM among the descriptors of a QEMU process. What /proc/PID/maps
 * says decides, not the XML: through a private mapping the guest's writes
 * never reach the backing, and it reads as zeros. */
#include "backing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "bytes.h"
#include "cleanup.h"
#include "conf.h"
#include "layout.h"
#include "procmaps.h"

#define FDS_MAX 65536  /* of one QEMU that are looked at */
#define MAPS_MAX 65536 /* lines, likewise */
#define HUGETLBFS 0x958458f6

#define CURE_SHARED                                                    \
    "add <memoryBacking><source type='memfd'/><access mode='shared'/>" \
    "</memoryBacking> and restart it"

static void
cleanup_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static void
cleanup_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

/* The one backend that holds boot RAM; NULL: there is none, or several. */
static const struct memctx_backend_arg *
boot_backend(const struct process *process)
{
    const struct memctx_memconf *memory = &process->args.memory;
    const char *id = memory->n_cells == 1 ? memory->cells[0].backend
                                          : memory->boot_backend;
    return memctx_qemuargs_backend(&process->args, id);
}

/* What can never work is said before anything is opened. */
static int
check_facts(const struct process *process, const struct memctx_domxml *facts,
            struct memctx_error *err)
{
    const struct memctx_qemuargs *args = &process->args;
    if (facts->encrypted[0] != '\0' || args->confidential)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM is encrypted (launchSecurity %s): "
                                "the host cannot read it",
                                facts->encrypted[0] != '\0' ? facts->encrypted
                                                            : "unknown");
    if (strcmp(facts->arch, "x86_64") != 0 && strcmp(facts->arch, "i686") != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guests of architecture '%s' are not "
                                "supported yet; x86_64 is",
                                facts->arch);
    return 0;
}

/* Without memory-backend= or memdev= RAM is QEMU's own, whatever other
 * backends there are (ivshmem has one). */
static int
check_backend(const struct process *process, struct memctx_error *err)
{
    const struct memctx_backend_arg *boot =
        boot_backend(process);
    if (boot == NULL || boot->kind == MEMCTX_BACKEND_ANONYMOUS)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "RAM is private to QEMU (no shared memory "
                                "backing); " CURE_SHARED);
    if (boot->kind == MEMCTX_BACKEND_OTHER || boot->size == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memory backend '%s' is of a kind that is not "
                                "supported; " CURE_SHARED,
                                boot->id);
    return 0;
}

static int
no_right(const struct process *process, struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no right to open the RAM of QEMU process %d: run "
                            "memctxd as root, as QEMU's user and group, or "
                            "with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
                            (int)process->pid);
}

/* Why /proc/PID of this process cannot be opened, by errno. What may pass,
 * such as a lack of descriptors, is no verdict. */
static int
cannot_look(const struct process *process, struct memctx_error *err)
{
    if (errno == EACCES || errno == EPERM)
        return no_right(process, err);
    if (errno == ENOENT || errno == ESRCH)
        return memctx_error_set(err, MEMCTX_GONE, "QEMU has ended");
    return memctx_error_set(err, MEMCTX_RETRY,
                            "cannot look at QEMU process %d: %s",
                            (int)process->pid, strerror(errno));
}

/* Find the mapping of the file with this device and inode that is as large as
 * the backend. 1 shared, 0 private, -1 none (or err set). */
static int
find_mapping(const struct process *process, const struct stat *st,
             struct memctx_error *err)
{
    uint64_t size = boot_backend(process)->size;
    int fd = openat(process->procfd, "maps", O_RDONLY | O_CLOEXEC);
    MEMCTX_CLEANUP(cleanup_file) FILE *maps = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (maps == NULL)
        return cannot_look(process, err);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *line = NULL;
    size_t line_size = 0;
    for (unsigned i = 0; i < MAPS_MAX && getline(&line, &line_size, maps) > 0;
         i++) {
        struct memctx_mapping m;
        if (memctx_procmaps_parse(line, &m, NULL) < 0)
            continue;
        if (m.inode == st->st_ino && m.major == major(st->st_dev) &&
            m.minor == minor(st->st_dev) && m.offset == 0 &&
            m.end - m.start >= size)
            return m.shared ? 1 : 0;
    }
    return -1;
}

static int
check_mapping(const struct process *process, int fd, const struct stat *st,
              struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct statfs fs;
    int shared = find_mapping(process, st, &why);
    if (shared < 0 && why.class != MEMCTX_OK) {
        *err = why;
        return -1;
    }
    if (shared < 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "QEMU has not mapped its RAM yet");
    if (shared == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "RAM is mapped private by QEMU, its backing "
                                "does not show the guest's writes; add <access "
                                "mode='shared'/> to <memoryBacking> and "
                                "restart it");
    if (fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "RAM on huge pages is not supported yet; "
                                "remove <hugepages/> from <memoryBacking>");
    return 0;
}

/* Look at one of QEMU's descriptors without opening its file, which may be a
 * disk image, a device or a FIFO. An O_PATH descriptor of it if it may be guest
 * RAM: a regular file just as large as the backend; -1: it is not, or *right
 * is false: we may not know. */
static int
look_at(int dirfd, const char *name, uint64_t size, bool *right)
{
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, name, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        *right = false;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size != size)
        return -1;
    return memctx_steal_fd(&fd);
}

/* Open what an O_PATH descriptor leads to, for reading only. */
static int
open_looked_at(int path_fd, bool *right)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        *right = false;
    return fd;
}

/* Look through QEMU's descriptors. 0 and *ret, a read-only descriptor. */
static int
open_backend(const struct process *process, int *ret, struct memctx_error *err)
{
    int dirfd =
        openat(process->procfd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(cleanup_dir) DIR *dir = dirfd >= 0 ? fdopendir(dirfd) : NULL;
    if (dir == NULL)
        return cannot_look(process, err);
    struct memctx_error why = MEMCTX_ERROR_INIT;
    bool right = true;
    struct dirent *entry;
    for (unsigned i = 0; i < FDS_MAX && (entry = readdir(dir)) != NULL; i++) {
        MEMCTX_CLEANUP(memctx_cleanup_fd)
        int fd =
            look_at(dirfd, entry->d_name,
                    boot_backend(process)->size, &right);
        struct stat st;
        struct memctx_error no = MEMCTX_ERROR_INIT;
        if (fd < 0 || fstat(fd, &st) < 0)
            continue;
        if (check_mapping(process, fd, &st, &no) == 0) {
            *ret = open_looked_at(fd, &right);
            if (*ret >= 0)
                return 0;
        }
        /* A disk image may be just as large and is not mapped; what is said
         * of a mapping weighs more. */
        if (why.class != MEMCTX_PERMANENT)
            why = no;
    }
    if (why.class != MEMCTX_OK) {
        *err = why;
        return -1;
    }
    if (!right)
        return no_right(process, err);
    return memctx_error_set(err, MEMCTX_RETRY,
                            "QEMU has no descriptor of its RAM yet");
}

static int
apply_layout(const struct memctx_layout *layout, int fd, struct ram *ret,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    unsigned backend;
    if (memctx_rammap_create(&ram.map, err) < 0 ||
        memctx_rammap_add_backend(ram.map, layout->backends[0].id,
                                  memctx_steal_fd(&owned), NULL, &backend,
                                  err) < 0)
        return -1;
    for (size_t i = 0; i < layout->n_extents; i++) {
        if (memctx_rammap_add_extent(ram.map, &layout->extents[i], err) < 0)
            return -1;
    }
    ram.low = layout->low;
    *ret = ram;
    ram.map = NULL;
    return 0;
}

static int
find_layout(const struct process *process, const struct memctx_domxml *facts,
            struct memctx_layout *ret, struct memctx_error *err)
{
    struct memctx_memconf conf;
    conf_join(facts, &process->args, true, &conf);
    if (memctx_layout_compute(&conf, MEMCTX_LAYOUT_LIKELIEST, ret, err) < 0)
        return -1;
    if (ret->n_backends > 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "RAM in %zu backends (NUMA cells, memory "
                                "devices): not supported yet; use one",
                                ret->n_backends);
    return 0;
}

int
backing_open(const struct process *process, const struct memctx_domxml *facts,
             struct ram *ret, struct memctx_error *err)
{
    int fd = -1;
    struct memctx_layout layout;
    if (check_facts(process, facts, err) < 0 ||
        find_layout(process, facts, &layout, err) < 0 ||
        check_backend(process, err) < 0 || open_backend(process, &fd, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    /* QEMU may have ended, and its number been given away, while we looked;
     * procfd would then have led nowhere. */
    if (process_check(process, err) < 0)
        return -1;
    return apply_layout(&layout, memctx_steal_fd(&owned), ret, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM of a memfd with a kernel that never ran, so that everything around the
 * search can run without a guest. */
#include "backing/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "guest/linux/stub.h"

#define STUB_RAM (64 * MEMCTX_MIB)
#define LARGE_PAGE (2 * MEMCTX_MIB)

static int
put(void *arg, uint64_t gpa, const void *bytes, size_t len)
{
    const int *fd = arg;
    return pwrite(*fd, bytes, len, (off_t)gpa) == (ssize_t)len ? 0 : -1;
}

/* 2 MiB aligned, between 2 MiB and STUB_RAM - 2 MiB, from the seed. */
static uint64_t
place_image(const char *seed)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *seed != '\0'; seed++)
        hash = (hash ^ (unsigned char)*seed) * 16777619u;
    return (1 + hash % (STUB_RAM / LARGE_PAGE - 2)) * LARGE_PAGE;
}

int
ram_from_stub(const char *seed, struct ram *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = memfd_create("memctx-stub", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)STUB_RAM) < 0 ||
        memctx_linux_stub_put(place_image(seed), put, &fd) < 0 ||
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot make stub RAM: %s", strerror(errno));
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (ram_from_path(path, "stub", 0, ret, err) < 0)
        return -1;
    ret->synthetic = true;
    ret->fresh = true;
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps the number and, once a reader has asked, the page that shows it. */
#include "record/epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "wire/clocks.h"
#include "backing/readonly.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

struct epoch {
    atomic_uint references;
    _Atomic uint64_t value;
    _Atomic uint64_t silent;
    struct statepage *page; /* mapped for writing; NULL: not made yet */
    int fd;                 /* of the page, for reading only; -1 */
};

_Static_assert(sizeof(struct statepage) == 24, "as in memctx-control(7)");

int
epoch_create(struct epoch **ret, struct memctx_error *err)
{
    struct epoch *epoch = calloc(1, sizeof(*epoch));
    if (epoch == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    atomic_init(&epoch->references, 1);
    atomic_init(&epoch->value, STATEPAGE_UNKNOWN);
    atomic_init(&epoch->silent, STATEPAGE_UNKNOWN);
    epoch->fd = -1;
    *ret = epoch;
    return 0;
}

struct epoch *
epoch_share(struct epoch *epoch)
{
    atomic_fetch_add(&epoch->references, 1);
    return epoch;
}

void
epoch_drop(struct epoch *epoch)
{
    if (epoch == NULL || atomic_fetch_sub(&epoch->references, 1) > 1)
        return;
    if (epoch->page != NULL)
        munmap(epoch->page, STATEPAGE_SIZE);
    memctx_close_fd(&epoch->fd);
    free(epoch);
}

/* Counted from the time in ns on: no agent gives a thousand million in a
 * second, so that the next one begins above. */
uint64_t
epoch_next(void)
{
    static uint64_t last;
    if (last == 0)
        last = clocks_us(CLOCK_REALTIME) * 1000;
    return ++last;
}

/* The page first: nobody may be served with a number that it lacks. A kernel
 * that runs again is told before it is no longer told as silent, so that its
 * readers see it in one of the two words all the time. */
void
epoch_set(struct epoch *epoch, uint64_t value)
{
    if (epoch->page != NULL) {
        atomic_store(&epoch->page->epoch, value);
        atomic_store(&epoch->page->silent, STATEPAGE_UNKNOWN);
    }
    atomic_store(&epoch->value, value);
    atomic_store(&epoch->silent, STATEPAGE_UNKNOWN);
}

void
epoch_set_silent(struct epoch *epoch, uint64_t kernel)
{
    if (epoch->page != NULL) {
        atomic_store(&epoch->page->silent, kernel);
        atomic_store(&epoch->page->epoch, STATEPAGE_UNKNOWN);
    }
    atomic_store(&epoch->silent, kernel);
    atomic_store(&epoch->value, STATEPAGE_UNKNOWN);
}

uint64_t
epoch_get(const struct epoch *epoch)
{
    return atomic_load(&epoch->value);
}

uint64_t
epoch_get_silent(const struct epoch *epoch)
{
    return atomic_load(&epoch->silent);
}

/* Nothing but our mapping, which was there before the seals, can write to it.
 */
static int
seal_page(int fd)
{
    return fchmod(fd, 0444) < 0 ||
                   fcntl(fd, F_ADD_SEALS,
                         F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
                             F_SEAL_SEAL) < 0
               ? -1
               : 0;
}

static int
make_page(struct epoch *epoch)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = memfd_create("memctx-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, STATEPAGE_SIZE) < 0)
        return -1;
    void *page =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return -1;
    epoch->fd = seal_page(fd) < 0 ? -1 : readonly_reopen(fd);
    if (epoch->fd < 0) {
        munmap(page, STATEPAGE_SIZE);
        return -1;
    }
    epoch->page = page;
    memcpy(epoch->page->magic, STATEPAGE_MAGIC, sizeof(epoch->page->magic));
    atomic_store(&epoch->page->silent, atomic_load(&epoch->silent));
    atomic_store(&epoch->page->epoch, atomic_load(&epoch->value));
    return 0;
}

int
epoch_open_page(struct epoch *epoch, int *ret, struct memctx_error *err)
{
    int fd = -1;
    if (epoch->page != NULL || make_page(epoch) == 0)
        fd = readonly_reopen(epoch->fd);
    if (fd < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot make a state page: %s",
                                strerror(errno));
    *ret = fd;
    return 0;
}

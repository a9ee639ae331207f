/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Watches the epoch of one domain. */
#include "reader/validity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LOOK_US 1000

int
validity_init(struct validity *ret, int fd, uint64_t epoch,
              const struct client *client, struct memctx_error *err)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)STATEPAGE_SIZE || seals < 0 ||
        (seals & F_SEAL_SHRINK) == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd's first descriptor is no state page: "
                                "a sealed memfd of %u bytes was expected",
                                STATEPAGE_SIZE);
    void *page = mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot map the state page: %s",
                                strerror(errno));
    if (memcmp(page, STATEPAGE_MAGIC, sizeof(ret->page->magic)) != 0) {
        munmap(page, STATEPAGE_SIZE);
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the state page has a form that this version "
                                "does not know");
    }
    *ret = (struct validity){.page = page, .epoch = epoch, .client = client};
    return 0;
}

void
validity_deinit(struct validity *validity)
{
    if (validity->page != NULL)
        munmap(validity->page, STATEPAGE_SIZE);
    validity->page = NULL;
}

static int
explain(uint64_t seen, uint64_t wanted, struct memctx_error *err)
{
    if (seen == STATEPAGE_OVER)
        return memctx_error_set(err, MEMCTX_GONE, "the domain has stopped");
    if (seen == STATEPAGE_UNKNOWN)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it is being checked whether the kernel still "
                                "runs");
    return memctx_error_set(
        err, MEMCTX_STALE,
        "the kernel runs no more there, or in other RAM (epoch "
        "%#" PRIx64 ", opened at %#" PRIx64 "): renew the reader",
        seen, wanted);
}

int
validity_confirm(const struct validity *validity, struct memctx_error *err)
{
    /* What was read before must not move behind the load. */
    atomic_thread_fence(memory_order_acquire);
    uint64_t seen =
        atomic_load_explicit(&validity->page->epoch, memory_order_acquire);
    return seen == validity->epoch ? 0 : explain(seen, validity->epoch, err);
}

int
validity_check(struct validity *validity, uint64_t now_us,
               struct memctx_error *err)
{
    if (!validity->left && now_us - validity->looked_us >= LOOK_US) {
        validity->left = client_is_left(validity->client);
        validity->looked_us = now_us;
    }
    if (validity->left)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd left: nobody tells any more which "
                                "kernel runs there");
    return validity_confirm(validity, err);
}

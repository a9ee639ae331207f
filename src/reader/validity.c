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
validity_init(struct validity *validity, int fd, uint64_t epoch,
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
    if (memcmp(page, STATEPAGE_MAGIC, sizeof(validity->page->magic)) != 0) {
        munmap(page, STATEPAGE_SIZE);
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the state page has a form that this version "
                                "does not know");
    }
    validity->page = page;
    validity->epoch = epoch;
    validity->client = client;
    return 0;
}

void
validity_deinit(struct validity *validity)
{
    if (validity->page != NULL)
        munmap(validity->page, STATEPAGE_SIZE);
    validity->page = NULL;
}

static uint64_t
load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

bool
validity_is_silent(const struct validity *validity)
{
    return load(&validity->page->epoch) == STATEPAGE_UNKNOWN &&
           load(&validity->page->silent) == validity->epoch;
}

static int
explain(uint64_t seen, uint64_t silent, uint64_t wanted,
        struct memctx_error *err)
{
    if (seen == STATEPAGE_OVER)
        return memctx_error_set(err, MEMCTX_GONE, "the domain has stopped");
    if (seen == STATEPAGE_UNKNOWN && silent == wanted)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the kernel is silent: it stands in RAM and "
                                "does not run, and the reader was opened for "
                                "one that runs");
    /* Another kernel that is silent has taken the place of this one, too. */
    if (seen == STATEPAGE_UNKNOWN && silent == STATEPAGE_UNKNOWN)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it is being checked whether the kernel still "
                                "runs");
    return memctx_error_set(
        err, MEMCTX_STALE,
        "the kernel runs no more there, or in other RAM (epoch "
        "%#" PRIx64 ", opened at %#" PRIx64 "): renew the reader",
        seen == STATEPAGE_UNKNOWN ? silent : seen, wanted);
}

/* The page does not show the kernel as the one that runs. A silent one that
 * just begins to run again leaves one of the page's words for the other: who
 * finds it in neither looks at the first once more. */
static int
confirm_otherwise(const struct validity *validity, struct memctx_error *err)
{
    if (validity->takes_silent && validity_is_silent(validity))
        return 0;
    uint64_t seen = load(&validity->page->epoch);
    uint64_t silent = load(&validity->page->silent);
    return seen == validity->epoch
               ? 0
               : explain(seen, silent, validity->epoch, err);
}

int
validity_confirm(const struct validity *validity, struct memctx_error *err)
{
    /* What was read before must not move behind the load. */
    atomic_thread_fence(memory_order_acquire);
    uint64_t seen = load(&validity->page->epoch);
    return seen == validity->epoch ? 0 : confirm_otherwise(validity, err);
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

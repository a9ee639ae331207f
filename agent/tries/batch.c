/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Two threads share a batch; whoever lets go last frees it. */
#include "tries/batch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "common/thread.h"
#include "wire/clocks.h"

/* A batch takes microseconds for each guest. */
#define HANG_MS 1000

struct batch {
    pthread_mutex_t lock; /* over `at` and `left` */
    pthread_cond_t changed;
    size_t at; /* items before this one were read */
    bool left; /* nobody waits for the rest */
    size_t n;
    struct batch_item items[];
};

static void
free_item(struct batch_item *item)
{
    memctx_rammap_destroy(item->map);
    vcpus_drop(item->vcpus);
}

static void
free_batch(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        free_item(&b->items[i]);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* A stub's words never move by themselves, so they show the time in ms: else
 * each stub would look like a kernel that has stopped. */
static uint64_t
show(const struct batch_item *item, const unsigned char raw[8])
{
    return item->synthetic ? clocks_now_ms() : memctx_le64(raw);
}

/* Has one moved? */
static bool
read_words(struct batch_item *item)
{
    bool moved = false;
    for (size_t i = 0; i < item->words.n && !item->failed; i++) {
        const struct memctx_clock *word = &item->words.word[i];
        unsigned char raw[8];
        item->failed = memctx_rammap_read(item->map, word->gpa, raw,
                                          sizeof(raw), NULL) < 0;
        item->values[i] = item->failed ? 0 : show(item, raw);
        moved = moved || item->values[i] != word->value;
    }
    return moved;
}

/* One that cannot be read says nothing. */
static bool
read_panic(const struct batch_item *item)
{
    unsigned char raw[4];
    return item->words.n > 0 && item->words.panic_gpa != 0 &&
           memctx_rammap_read(item->map, item->words.panic_gpa, raw,
                              sizeof(raw), NULL) == 0 &&
           memctx_words_tell_panic(memctx_le32(raw));
}

/* The same of the log, whose head has 4 bytes or 8. */
static bool
read_log(const struct batch_item *item, uint64_t *ret)
{
    unsigned char raw[8] = {0};
    if (item->words.n == 0 || item->words.log_gpa == 0 ||
        memctx_rammap_read(
            item->map, item->words.log_gpa, raw,
            (size_t)memctx_min(item->words.log_bytes, sizeof(raw)), NULL) < 0)
        return false;
    *ret = memctx_le64(raw);
    return true;
}

static void
read_item(struct batch_item *item)
{
    item->failed = false;
    bool moved = read_words(item);
    item->panicked = !item->failed && read_panic(item);
    item->has_log = !item->failed && read_log(item, &item->log_head);
    /* Reading /proc costs more than the words: only where none moved. */
    item->looked = item->wants_cpu && !moved;
    if (item->looked)
        item->has_cpu = vcpus_read(item->vcpus, item->anew, &item->cpu_us);
}

/* One item is read. True: that was the last one, or nobody waits for more. */
static bool
pass_item(struct batch *b)
{
    pthread_mutex_lock(&b->lock);
    b->at++;
    bool over = b->left || b->at == b->n;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return over;
}

/* Each batch has a thread of its own, since a read that hangs (FUSE, NFS)
 * cannot be ended from outside: the thread is then left alone with its batch,
 * and goes when the file system answers. */
static void *
run_thread(void *arg)
{
    struct batch *b = arg;
    for (size_t i = 0; i < b->n; i++) {
        read_item(&b->items[i]);
        if (pass_item(b))
            break;
    }
    pthread_mutex_lock(&b->lock);
    bool left = b->left;
    b->left = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    if (left)
        free_batch(b);
    return NULL;
}

/* Wait until all is read, or one item takes too long. How many were read. */
static size_t
wait_for_batch(struct batch *b)
{
    size_t seen = 0;
    struct timespec until = clocks_deadline(HANG_MS);
    pthread_mutex_lock(&b->lock);
    while (!b->left) {
        if (b->at > seen) {
            seen = b->at;
            until = clocks_deadline(HANG_MS);
        }
        if (pthread_cond_timedwait(&b->changed, &b->lock, &until) != 0 &&
            b->at == seen)
            break;
    }
    seen = b->at;
    pthread_mutex_unlock(&b->lock);
    return seen;
}

struct batch *
batch_create(size_t n)
{
    struct batch *b = calloc(1, sizeof(*b) + n * sizeof(b->items[0]));
    if (b == NULL)
        return NULL;
    pthread_mutex_init(&b->lock, NULL);
    clocks_init_cond(&b->changed);
    b->left = true; /* no thread has it yet */
    b->n = n;
    return b;
}

struct batch_item *
batch_item(struct batch *b, size_t index)
{
    return &b->items[index];
}

int
batch_read(struct batch *b, size_t *n_read)
{
    pthread_t thread;
    b->left = false;
    if (thread_start(&thread, run_thread, b) != 0) {
        b->left = true;
        return -1;
    }
    pthread_detach(thread);
    *n_read = wait_for_batch(b);
    return 0;
}

void
batch_destroy(struct batch *b)
{
    pthread_mutex_lock(&b->lock);
    bool left = b->left;
    b->left = true;
    pthread_mutex_unlock(&b->lock);
    if (left)
        free_batch(b);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a request to the search and back. */
#include "prober/tasks.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "paging/paging.h"
#include "prober/messages.h"
#include "search/layouts.h"
#include "wire/clocks.h"

/* How often clock words are looked at that have yet to tick. */
#define WORDS_MS 50

struct tasks {
    int socket;
    const struct memctx_probe_ram *ram;
    int output_fd;
    struct memctx_layouts *layouts; /* NULL: nothing was searched for yet */
    uint64_t until_cpu_us; /* of this process; the task under way ends then */
};

static bool
is_out_of_time(void *arg)
{
    const struct tasks *t = arg;
    return clocks_us(CLOCK_PROCESS_CPUTIME_ID) >= t->until_cpu_us;
}

/* The search, made at the first search. What another prober found in this RAM
 * is where this one begins. */
static int
prepare(struct tasks *t, const struct memctx_probe_request *request,
        struct memctx_error *err)
{
    if (t->layouts != NULL) {
        if (request->new_boot)
            memctx_layouts_new_boot(t->layouts);
        return 0;
    }
    if (memctx_layouts_create(t->ram->maps, t->ram->n, &t->layouts, err) < 0)
        return -1;
    memctx_layouts_set_over(t->layouts, is_out_of_time, t);
    if (request->has_kernel)
        memctx_layouts_adopt(t->layouts, &request->kernel, request->layout);
    return 0;
}

/* Layouts are proven by a kernel that was found, not by one that is pending. */
static void
put_kernel(const struct tasks *t, const struct memctx_layouts_result *result,
           struct memctx_probe_answer *answer)
{
    answer->has_kernel = true;
    answer->alive = result->found.alive;
    answer->kernel = result->found.kernel;
    answer->layout = (uint32_t)result->layout;
    answer->proof = result->proof;
    bool certain = t->ram->n == 1 && !memctx_rammap_is_doubted(t->ram->maps[0]);
    if (!certain && result->proof == MEMCTX_LAYOUT_CERTAIN)
        answer->proof = MEMCTX_LAYOUT_ASSUMED;
}

static struct messages_subject
messages_of(struct tasks *t, const struct memctx_kernel *kernel,
            uint32_t layout)
{
    return (struct messages_subject){t->ram->maps[layout], kernel,
                                     is_out_of_time, t};
}

/* A kernel that does not name its panic word tells of its panic in its log.
 * Where that is, is known once the clock ticks: before that it may move. */
static void
put_words(struct tasks *t, const struct memctx_words *words,
          struct memctx_probe_answer *answer)
{
    struct memctx_words all = *words;
    const struct messages_subject messages =
        messages_of(t, &answer->kernel, answer->layout);
    if (all.n > 0 && all.panic_gpa == 0)
        messages_find_head(&messages, &all);
    answer->per_second = all.per_second;
    answer->least = all.least;
    answer->panic_gpa = all.panic_gpa;
    answer->log_gpa = all.log_gpa;
    answer->log_bytes = all.log_bytes;
    answer->n_words = (uint32_t)all.n;
    memcpy(answer->words, all.word, sizeof(answer->words));
}

/* TRY and WATCH. A kernel that was seen running has shown its clock words. */
static int
search(struct tasks *t, const struct memctx_probe_request *request,
       struct memctx_probe_answer *answer, struct memctx_error *err)
{
    struct memctx_layouts_result result = {.layout = 0};
    struct memctx_words words;
    const struct memctx_bootstrap_request bootstrap = {
        .now_us = clocks_us(CLOCK_MONOTONIC),
        .budget_bytes = request->budget_bytes,
        .cold = request->cold,
        .paused = request->paused,
        .known =
            request->believed && request->has_kernel ? &request->kernel : NULL,
    };
    if (prepare(t, request, err) < 0)
        return -1;
    int failed =
        request->task == MEMCTX_PROBE_TRY
            ? memctx_layouts_try(t->layouts, &bootstrap, &result, err)
            : memctx_layouts_watch(t->layouts, &bootstrap, &result, err);
    answer->bytes_read = result.found.bytes_read;
    answer->candidates = result.found.candidates;
    if (failed == 0 || result.found.pending)
        put_kernel(t, &result, answer);
    if (failed == 0 && result.found.alive &&
        memctx_layouts_words(t->layouts, bootstrap.now_us, &words, NULL) == 0)
        put_words(t, &words, answer);
    return failed;
}

/* Nobody waits any longer if something else is asked. */
static bool
pass_time(const struct tasks *t)
{
    struct pollfd socket = {.fd = t->socket, .events = POLLIN};
    return poll(&socket, 1, WORDS_MS) == 0;
}

/* It is no failure if none ticks: the kernel may have no clock. */
static void
wait_for_words(struct tasks *t, uint64_t wait_us,
               struct memctx_probe_answer *answer)
{
    struct memctx_words words = {.n = 0};
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    const uint64_t until_us = now_us + wait_us;
    while (memctx_layouts_words(t->layouts, now_us, &words, NULL) == 0 &&
           words.n == 0 && now_us < until_us && pass_time(t))
        now_us = clocks_us(CLOCK_MONOTONIC);
    put_words(t, &words, answer);
}

static int
verify(struct tasks *t, const struct memctx_probe_request *request,
       struct memctx_probe_answer *answer, struct memctx_error *err)
{
    struct memctx_layouts_result result;
    const struct memctx_bootstrap_request bootstrap = {
        .now_us = clocks_us(CLOCK_MONOTONIC)};
    if (prepare(t, request, err) < 0 ||
        memctx_layouts_verify(t->layouts, &bootstrap, &result, err) < 0)
        return -1;
    put_kernel(t, &result, answer);
    wait_for_words(t, request->wait_us, answer);
    return 0;
}

/* As many of the bytes from `done` on as lie in one page. A guest may well map
 * what is no RAM: its devices. */
static int
find_part(const struct tasks *t, const struct memctx_probe_request *request,
          uint32_t done, struct memctx_probe_part *ret,
          struct memctx_error *err)
{
    const struct memctx_rammap *map = t->ram->maps[request->layout];
    struct memctx_walk walk;
    uint64_t gva;
    if (!memctx_add(request->gva, done, &gva))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the bytes reach beyond the last address");
    if (memctx_paging_walk(map, request->paging, request->root_gpa, gva, &walk,
                           err) < 0)
        return -1;
    uint64_t in_page = MEMCTX_PAGE_SIZE - gva % MEMCTX_PAGE_SIZE;
    ret->gpa = walk.gpa;
    ret->size = (uint32_t)memctx_min(request->size - done, in_page);
    ret->writable = walk.writable;
    if (!memctx_rammap_contains(map, ret->gpa, ret->size))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " leads to gpa %#" PRIx64
                                ", which is not RAM",
                                gva, ret->gpa);
    return 0;
}

static int
translate(struct tasks *t, const struct memctx_probe_request *request,
          struct memctx_probe_answer *answer, struct memctx_error *err)
{
    answer->layout = request->layout;
    for (uint32_t done = 0; done < request->size;) {
        struct memctx_probe_part *part = &answer->parts[answer->n_parts];
        if (find_part(t, request, done, part, err) < 0)
            return -1;
        answer->n_parts++;
        done += part->size;
    }
    return 0;
}

static int
read_last_words(struct tasks *t, const struct memctx_probe_request *request,
                struct memctx_probe_answer *answer, struct memctx_error *err)
{
    const struct messages_subject messages =
        messages_of(t, &request->kernel, request->layout);
    answer->layout = request->layout;
    return messages_tell_panic(&messages, &answer->panicked, err);
}

static int
keep_log(struct tasks *t, const struct memctx_probe_request *request,
         struct memctx_probe_answer *answer, struct memctx_error *err)
{
    const struct messages_subject messages =
        messages_of(t, &request->kernel, request->layout);
    struct messages_kept kept;
    answer->layout = request->layout;
    int failed = messages_keep(&messages, t->output_fd, request->budget_bytes,
                               &kept, err);
    answer->records = kept.records;
    answer->cut = kept.cut;
    messages_tell_panic(&messages, &answer->panicked, NULL);
    return failed;
}

typedef int task_fn(struct tasks *t, const struct memctx_probe_request *request,
                    struct memctx_probe_answer *answer,
                    struct memctx_error *err);

static task_fn *const tasks[] = {
    [MEMCTX_PROBE_TRY] = search,
    [MEMCTX_PROBE_WATCH] = search,
    [MEMCTX_PROBE_VERIFY] = verify,
    [MEMCTX_PROBE_TRANSLATE] = translate,
    [MEMCTX_PROBE_LAST_WORDS] = read_last_words,
    [MEMCTX_PROBE_KEEP_LOG] = keep_log,
};
_Static_assert(MEMCTX_ARRAY_LEN(tasks) == MEMCTX_PROBE_TASKS,
               "every task is done by somebody");

static int
send_answer(int socket, const struct memctx_probe_answer *answer,
            struct memctx_error *err)
{
    ssize_t n;
    while ((n = send(socket, answer, sizeof(*answer), MSG_NOSIGNAL)) < 0 &&
           errno == EINTR)
        ;
    if (n != (ssize_t)sizeof(*answer))
        return memctx_error_set(err, MEMCTX_BUG, "no answer can be sent: %s",
                                strerror(errno));
    return 0;
}

/* 1 and a request, 0: the other side has closed, or -1. */
static int
receive_request(int socket, const struct memctx_probe_ram *ram,
                struct memctx_probe_request *ret, struct memctx_error *err)
{
    unsigned char bytes[sizeof(*ret) + 1];
    ssize_t n;
    while ((n = recv(socket, bytes, sizeof(bytes), 0)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return memctx_error_set(err, MEMCTX_BUG, "nothing can be received: %s",
                                strerror(errno));
    if (n == 0)
        return 0;
    return memctx_probe_request_decode(bytes, (size_t)n, ram, ret, err) < 0 ? -1
                                                                            : 1;
}

static void
carry_out(struct tasks *t, const struct memctx_probe_request *request,
          struct memctx_probe_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->serial = request->serial;
    t->until_cpu_us = request->cpu_us == 0
                          ? UINT64_MAX
                          : clocks_us(CLOCK_PROCESS_CPUTIME_ID) +
                                memctx_min(request->cpu_us, UINT32_MAX);
    int failed = tasks[request->task](t, request, answer, &answer->why);
    if (failed == 0)
        answer->why = (struct memctx_error)MEMCTX_ERROR_INIT;
    answer->verdict = failed == 0          ? MEMCTX_PROBE_DONE
                      : answer->has_kernel ? MEMCTX_PROBE_PENDING
                                           : MEMCTX_PROBE_FAILED;
}

int
tasks_run(const struct tasks_means *means, struct memctx_error *err)
{
    struct tasks t = {.socket = means->socket,
                      .ram = means->ram,
                      .output_fd = means->output_fd};
    struct memctx_probe_request request;
    struct memctx_probe_answer answer;
    int got;
    while ((got = receive_request(t.socket, t.ram, &request, err)) > 0) {
        carry_out(&t, &request, &answer);
        if (send_answer(t.socket, &answer, err) < 0) {
            got = -1;
            break;
        }
    }
    memctx_layouts_destroy(t.layouts);
    return got;
}

int
tasks_refuse(int socket, const struct memctx_probe_ram *ram,
             const struct memctx_error *why, struct memctx_error *err)
{
    struct memctx_probe_request request;
    int got = receive_request(socket, ram, &request, err);
    if (got <= 0)
        return got;
    const struct memctx_probe_answer answer = {
        .serial = request.serial,
        .verdict = MEMCTX_PROBE_FAILED,
        .why = *why,
    };
    return send_answer(socket, &answer, err);
}

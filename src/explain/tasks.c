/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows a list that changes, and believes no link of it. */
#include "explain/tasks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "explain/fields.h"
#include "explain/image.h"
#include "explain/list.h"

#define FAULTS_MAX (1u << 14)  /* times that the list is taken up again */
#define REPEATS_MAX (1u << 13) /* tasks that are met again */
#define SLOTS_MIN 1024u

/* PF_KTHREAD of include/linux/sched.h, since 2.6.27. BTF has no macros. That a
 * task has no mm says less: a zombie has none either. */
#define KERNEL_THREAD UINT64_C(0x00200000)

enum {
    TASKS,
    PID,
    TGID,
    COMM,
    FLAGS,
    STATE,
    EXIT_STATE,
    PARENT,
    CRED,
    START,
    UID,
    FIELDS
};

static const struct memctx_wish wishes[FIELDS] = {
    [TASKS] = {"task_struct", "tasks", NULL, false},
    [PID] = {"task_struct", "pid", NULL, false},
    [TGID] = {"task_struct", "tgid", NULL, false},
    [COMM] = {"task_struct", "comm", NULL, false},
    [FLAGS] = {"task_struct", "flags", NULL, false},
    [STATE] = {"task_struct", "state", "__state", false}, /* 5.14 */
    [EXIT_STATE] = {"task_struct", "exit_state", NULL, false},
    [PARENT] = {"task_struct", "real_parent", NULL, false},
    [CRED] = {"task_struct", "real_cred", NULL, false},
    /* start_boottime since 5.5 */
    [START] = {"task_struct", "real_start_time", "start_boottime", true},
    [UID] = {"cred", "uid", NULL, false},
};

struct walk {
    struct memctx_target *target;
    struct memctx_field field[FIELDS];
    uint64_t head;            /* init_task.tasks */
    struct memctx_task *task; /* owned; in the order of the list */
    size_t n;
    size_t size;
    uint32_t *slots; /* owned; a hash table of indices of task, + 1 */
    size_t n_slots;  /* a power of two; at least twice n */
    unsigned faults;
    unsigned repeats;
};

void
memctx_tasks_deinit(struct memctx_tasks *tasks)
{
    free(tasks->task);
    *tasks = (struct memctx_tasks)MEMCTX_TASKS_INIT;
}

/* ---- what was seen ------------------------------------------------------ */

/* Where the task at gva is, or would be put. There is always a free slot. */
static uint32_t *
slot_of(const struct walk *w, uint64_t gva)
{
    uint64_t at = (gva >> 6) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    for (size_t i = 0;; i++) {
        uint32_t *slot = &w->slots[(at + i) & (w->n_slots - 1)];
        if (*slot == 0 || w->task[*slot - 1].gva == gva)
            return slot;
    }
}

static int
grow(struct walk *w, struct memctx_error *err)
{
    size_t size = (size_t)memctx_max(SLOTS_MIN / 2, 2 * w->size);
    struct memctx_task *task = realloc(w->task, size * sizeof(*task));
    if (task == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    w->task = task;
    w->size = size;
    uint32_t *slots = calloc(2 * size, sizeof(*slots));
    if (slots == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    free(w->slots);
    w->slots = slots;
    w->n_slots = 2 * size;
    for (size_t i = 0; i < w->n; i++)
        *slot_of(w, w->task[i].gva) = (uint32_t)i + 1;
    return 0;
}

/* Keep a task. One that has been met before and is another process now has
 * taken the memory of one that ended. */
static int
keep(struct walk *w, const struct memctx_task *task, struct memctx_error *err)
{
    if (w->n == w->size && grow(w, err) < 0)
        return -1;
    uint32_t *slot = slot_of(w, task->gva);
    if (*slot != 0) {
        w->task[*slot - 1] = *task;
        if (++w->repeats > REPEATS_MAX)
            return memctx_error_set(
                err, MEMCTX_RETRY,
                "it leads back to pid %" PRIu32 " again and again", task->pid);
        return 0;
    }
    if (w->n == MEMCTX_TASKS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY, "it has more than %u tasks",
                                MEMCTX_TASKS_MAX);
    w->task[w->n++] = *task;
    *slot = (uint32_t)w->n;
    return 0;
}

/* ---- one task ----------------------------------------------------------- */

static int
get(const struct walk *w, unsigned which, uint64_t gva, uint64_t *ret,
    struct memctx_error *err)
{
    return memctx_field_read(w->target, &w->field[which], gva, ret, err);
}

/* As get_task_state() of fs/proc/array.c. The bits are the same since 4.14. */
static char
letter_of(uint64_t state, uint64_t exit_state)
{
    static const char letters[] = "RSDTtXZP";
    const uint64_t idle = 0x402;    /* TASK_UNINTERRUPTIBLE, TASK_NOLOAD */
    const uint64_t hidden = 0x9000; /* TASK_RTLOCK_WAIT, TASK_FROZEN: 'D' */
    uint64_t told = (state | exit_state) & 0x7f;
    if ((state & idle) == idle)
        return 'I';
    if (told == 0 && (state & hidden) != 0)
        return 'D';
    unsigned index = 0;
    while (told >> index != 0)
        index++;
    return letters[index];
}

/* What it was started by; a parent that ended meanwhile leaves 0. */
static uint32_t
parent_of(const struct walk *w, uint64_t gva)
{
    uint64_t parent;
    uint64_t tgid;
    if (get(w, PARENT, gva, &parent, NULL) < 0 ||
        get(w, TGID, parent, &tgid, NULL) < 0)
        return 0;
    return (uint32_t)tgid;
}

static int
read_task(const struct walk *w, uint64_t gva, struct memctx_task *ret,
          struct memctx_error *err)
{
    uint64_t pid, flags, state, exit_state, cred, uid, start;
    struct memctx_task task = {.gva = gva};
    size_t name =
        (size_t)memctx_min(w->field[COMM].size_bytes, sizeof(task.name));
    if (get(w, PID, gva, &pid, err) < 0 ||
        get(w, FLAGS, gva, &flags, err) < 0 ||
        get(w, STATE, gva, &state, err) < 0 ||
        get(w, EXIT_STATE, gva, &exit_state, err) < 0 ||
        get(w, CRED, gva, &cred, err) < 0 || get(w, UID, cred, &uid, err) < 0 ||
        memctx_chars_read(w->target, memctx_field_at(&w->field[COMM], gva),
                          task.name, name, err) < 0)
        return -1;
    task.pid = (uint32_t)pid;
    task.ppid = parent_of(w, gva);
    task.uid = (uint32_t)uid;
    task.state = letter_of(state, exit_state);
    task.is_kernel_thread = (flags & KERNEL_THREAD) != 0;
    if (w->field[START].known && get(w, START, gva, &start, NULL) == 0) {
        task.has_start = true;
        task.start_nsec = start;
    }
    *ret = task;
    return 0;
}

/* ---- the list ----------------------------------------------------------- */

/* The next task; its gva is 0 at the end of the list. */
static int
go_on(const struct walk *w, uint64_t at, struct memctx_task *ret,
      struct memctx_error *err)
{
    uint64_t next;
    if (memctx_list_next(w->target, at, &next, err) < 0)
        return -1;
    if (next == w->head) {
        ret->gva = 0;
        return 0;
    }
    return read_task(w, memctx_field_owner(&w->field[TASKS], next), ret, err);
}

static uint64_t
link_of(const struct walk *w, size_t n)
{
    return n == 0 ? w->head
                  : memctx_field_at(&w->field[TASKS], w->task[n - 1].gva);
}

/* Where to go on when the link at place `n` of those that were met does not
 * lead on: at the same, as it is now, or at the one before. */
static int
retreat(struct walk *w, size_t *n, struct memctx_error *err)
{
    struct memctx_task ignored;
    memctx_target_refresh(w->target);
    for (;; (*n)--) {
        if (go_on(w, link_of(w, *n), &ignored, err) == 0)
            return 0;
        if (*n == 0 || ++w->faults > FAULTS_MAX)
            return -1;
    }
}

/* Bounded by MEMCTX_TASKS_MAX, REPEATS_MAX and FAULTS_MAX. */
static int
follow(struct walk *w, struct memctx_error *err)
{
    size_t at = 0; /* 0: the head, else a place in w->task, + 1 */
    for (;;) {
        struct memctx_error why; /* what is mended is no error */
        struct memctx_task task;
        if (go_on(w, link_of(w, at), &task, &why) < 0) {
            if (++w->faults > FAULTS_MAX || retreat(w, &at, &why) < 0)
                return memctx_error_pass(err, &why);
            continue;
        }
        if (task.gva == 0)
            return 0;
        if (keep(w, &task, err) < 0)
            return -1;
        at = *slot_of(w, task.gva);
    }
}

static int
by_pid(const void *left, const void *right)
{
    const struct memctx_task *a = left;
    const struct memctx_task *b = right;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    return a->start_nsec < b->start_nsec ? -1 : a->start_nsec > b->start_nsec;
}

/* In order of pid. Of two that have the same the one that began later is
 * there still. */
static void
put_in_order(struct memctx_tasks *tasks)
{
    size_t kept = 0;
    if (tasks->n == 0)
        return;
    qsort(tasks->task, tasks->n, sizeof(tasks->task[0]), by_pid);
    for (size_t i = 0; i < tasks->n; i++) {
        if (kept > 0 && tasks->task[kept - 1].pid == tasks->task[i].pid)
            kept--;
        tasks->task[kept++] = tasks->task[i];
    }
    tasks->n = kept;
}

int
memctx_tasks_read(struct memctx_target *target, const struct memctx_btf *btf,
                  uint64_t init_task_gva, struct memctx_tasks *ret,
                  struct memctx_error *err)
{
    struct walk w = {.target = target};
    *ret = (struct memctx_tasks)MEMCTX_TASKS_INIT;
    if (memctx_fields_find(target, btf, wishes, FIELDS, w.field, err) < 0)
        return -1;
    w.head = memctx_field_at(&w.field[TASKS], init_task_gva);
    int failed = grow(&w, err) < 0 ? -1 : follow(&w, err);
    free(w.slots);
    ret->task = w.task;
    ret->n = w.n;
    put_in_order(ret);
    return failed < 0 ? memctx_error_prefix(err, "the list of tasks broke off")
                      : 0;
}

/* ---- where it begins ---------------------------------------------------- */

struct found {
    struct walk w;
    uint64_t gva; /* 0: none */
};

/* "swapper", on SMP "swapper/0" (init/init_task.c, init_idle()). */
static bool
is_idle(const struct walk *w, uint64_t gva)
{
    struct memctx_task task;
    return read_task(w, gva, &task, NULL) == 0 && task.pid == 0 &&
           (strcmp(task.name, "swapper") == 0 ||
            strcmp(task.name, "swapper/0") == 0);
}

static bool
look_at(void *arg, uint64_t gva)
{
    struct found *found = arg;
    const struct walk *w = &found->w;
    struct memctx_task first;
    uint64_t task = memctx_field_owner(&w->field[COMM], gva);
    if (!is_idle(w, task) ||
        go_on(w, memctx_field_at(&w->field[TASKS], task), &first, NULL) < 0 ||
        first.gva == 0 || first.pid != 1)
        return true;
    found->gva = task;
    return false;
}

int
memctx_tasks_search(struct memctx_target *target, const struct memctx_btf *btf,
                    uint64_t *init_task_gva, struct memctx_error *err)
{
    static const char name[] = "swapper";
    struct found found = {.w = {.target = target}};
    if (memctx_fields_find(target, btf, wishes, FIELDS, found.w.field, err) <
            0 ||
        memctx_image_search(target, name, strlen(name), look_at, &found, err) <
            0)
        return -1;
    if (found.gva == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no init_task is in the kernel's image");
    *init_task_gva = found.gva;
    return 0;
}

int
memctx_tasks_list(struct memctx_target *target, const struct memctx_btf *btf,
                  const struct memctx_landmarks *landmarks,
                  struct memctx_tasks *ret, struct memctx_error *err)
{
    uint64_t init_task_gva = landmarks->gva[MEMCTX_AT_INIT_TASK];
    *ret = (struct memctx_tasks)MEMCTX_TASKS_INIT;
    if (init_task_gva == 0 &&
        memctx_tasks_search(target, btf, &init_task_gva, err) < 0)
        return -1;
    return memctx_tasks_read(target, btf, init_task_gva, ret, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* As si_meminfo() and si_mem_available() of mm/show_mem.c (before 6.4
 * mm/page_alloc.c) and meminfo_proc_show() of fs/proc/meminfo.c. */
#include "explain/meminfo.h"

#include <inttypes.h>

#include "explain/fields.h"
#include "explain/list.h"

#define NODES_MAX 1024u /* MAX_NUMNODES */
#define ZONES_MAX 8u    /* MAX_NR_ZONES */
#define INODES_MAX 65536u
#define PAGE_SIZE_MAX 65536u
#define PAGES_MAX (UINT64_C(1) << 40)
#define LOW_WATERMARK 1u /* WMARK_LOW, of enum zone_watermarks */

enum {
    ZONES,
    NODE_STAT,
    NODE_RESERVE,
    MANAGED,
    ZONE_STAT,
    WATERMARK,
    BOOST,
    INODES,
    INODE_LINK,
    MAPPING,
    NRPAGES,
    KTHREAD,
    KTHREAD_DATA,
    KSWAPD,
    FIELDS
};

static const struct memctx_wish wishes[FIELDS] = {
    [ZONES] = {"pglist_data", "node_zones", NULL, false},
    [NODE_STAT] = {"pglist_data", "vm_stat", NULL, false},
    [NODE_RESERVE] = {"pglist_data", "totalreserve_pages", NULL, false},
    [MANAGED] = {"zone", "managed_pages", NULL, false},
    [ZONE_STAT] = {"zone", "vm_stat", NULL, false},
    [WATERMARK] = {"zone", "_watermark", NULL, false},
    [BOOST] = {"zone", "watermark_boost", NULL, true},
    [INODES] = {"super_block", "s_inodes", NULL, true},
    [INODE_LINK] = {"inode", "i_sb_list", NULL, true},
    [MAPPING] = {"inode", "i_mapping", NULL, true},
    [NRPAGES] = {"address_space", "nrpages", NULL, true},
    /* Where a kernel thread keeps its struct kthread: to_kthread(); 5.17 */
    [KTHREAD] = {"task_struct", "set_child_tid", "worker_private", true},
    [KTHREAD_DATA] = {"kthread", "data", NULL, true},
    [KSWAPD] = {"pglist_data", "kswapd", NULL, true},
};

/* What is counted: its index among the counters of a zone or a node, whose
 * order each kernel has for itself. */
enum {
    FREE,
    FILES,
    SHMEM,
    SWAP_CACHE,
    ACTIVE_FILE,
    INACTIVE_FILE,
    SLAB,
    MISC,
    COUNTERS
};

static const struct {
    const char *in;
    const char *name;
    const char *older; /* NULL: the same */
    bool optional;
} counter_table[COUNTERS] = {
    [FREE] = {"zone_stat_item", "NR_FREE_PAGES", NULL, false},
    [FILES] = {"node_stat_item", "NR_FILE_PAGES", NULL, false},
    [SHMEM] = {"node_stat_item", "NR_SHMEM", NULL, false},
    /* 5.12; before, what is in the swap cache counts as cached */
    [SWAP_CACHE] = {"node_stat_item", "NR_SWAPCACHE", NULL, true},
    [ACTIVE_FILE] = {"node_stat_item", "NR_ACTIVE_FILE", NULL, false},
    [INACTIVE_FILE] = {"node_stat_item", "NR_INACTIVE_FILE", NULL, false},
    [SLAB] = {"node_stat_item", "NR_SLAB_RECLAIMABLE_B", "NR_SLAB_RECLAIMABLE",
              false}, /* until 5.8 */
    [MISC] = {"node_stat_item", "NR_KERNEL_MISC_RECLAIMABLE", NULL, false},
};

struct sums {
    struct memctx_target *target;
    struct memctx_field field[FIELDS];
    uint64_t zone_bytes;  /* sizeof(struct zone) */
    int64_t at[COUNTERS]; /* index; -1: there is none */
    int64_t count[COUNTERS];
    uint64_t managed;
    uint64_t low;     /* watermarks */
    uint64_t reserve; /* pages */
};

static int
find_counters(const struct memctx_btf *btf, struct sums *s,
              struct memctx_error *err)
{
    for (unsigned i = 0; i < COUNTERS; i++) {
        const char *in = counter_table[i].in;
        const char *older = counter_table[i].older;
        struct memctx_error *why = counter_table[i].optional ? NULL : err;
        s->at[i] = -1;
        if (older != NULL &&
            memctx_btf_value(btf, in, older, &s->at[i], NULL) == 0)
            continue;
        if (memctx_btf_value(btf, in, counter_table[i].name, &s->at[i], why) <
                0 &&
            !counter_table[i].optional)
            return -1;
    }
    return 0;
}

static int
prepare(const struct memctx_btf *btf, struct sums *s, struct memctx_error *err)
{
    struct memctx_btf_type zone;
    if (memctx_fields_find(s->target, btf, wishes, FIELDS, s->field, err) < 0 ||
        find_counters(btf, s, err) < 0 ||
        memctx_btf_find(btf, MEMCTX_BTF_STRUCT, "zone", &zone, err) < 0)
        return -1;
    s->zone_bytes = zone.size_bytes;
    return s->zone_bytes > 0
               ? 0
               : memctx_error_set(err, MEMCTX_RETRY, "zones have no size");
}

/* Number `index` of an array of longs in a struct. */
static int
read_long(const struct sums *s, const struct memctx_field *array, uint64_t gva,
          int64_t index, uint64_t *ret, struct memctx_error *err)
{
    unsigned word = memctx_target_word_size(s->target);
    if (index < 0 || (uint64_t)index >= array->size_bytes / word)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a counter at %" PRId64 " of %" PRIu32, index,
                                array->size_bytes / word);
    return memctx_view_pointer(
        &s->target->view, memctx_field_at(array, gva) + (uint64_t)index * word,
        ret, err);
}

/* Add the counters of one array: those whose names are in that enum. */
static int
add_counters(struct sums *s, const struct memctx_field *array, uint64_t gva,
             const char *in, struct memctx_error *err)
{
    bool is_wide = memctx_target_word_size(s->target) == 8;
    for (unsigned i = 0; i < COUNTERS; i++) {
        uint64_t value;
        if (s->at[i] < 0 || strcmp(counter_table[i].in, in) != 0)
            continue;
        if (read_long(s, array, gva, s->at[i], &value, err) < 0)
            return -1;
        /* It may wrap, as the kernel's own sum. */
        s->count[i] += is_wide ? value : (uint64_t)(int32_t)value;
    }
    return 0;
}

static int
add_zone(struct sums *s, uint64_t gva, struct memctx_error *err)
{
    uint64_t managed;
    uint64_t low;
    uint64_t boost = 0;
    if (memctx_field_read(s->target, &s->field[MANAGED], gva, &managed, err) <
            0 ||
        read_long(s, &s->field[WATERMARK], gva, LOW_WATERMARK, &low, err) < 0 ||
        (s->field[BOOST].known &&
         memctx_field_read(s->target, &s->field[BOOST], gva, &boost, err) < 0))
        return -1;
    s->managed += managed;
    s->low += low + boost;
    return add_counters(s, &s->field[ZONE_STAT], gva, "zone_stat_item", err);
}

static int
add_node(struct sums *s, uint64_t gva, struct memctx_error *err)
{
    const struct memctx_field *zones = &s->field[ZONES];
    uint64_t n = memctx_min(zones->size_bytes / s->zone_bytes, ZONES_MAX);
    uint64_t reserve;
    if (memctx_field_read(s->target, &s->field[NODE_RESERVE], gva, &reserve,
                          err) < 0 ||
        add_counters(s, &s->field[NODE_STAT], gva, "node_stat_item", err) < 0)
        return -1;
    s->reserve += reserve;
    for (uint64_t i = 0; i < n; i++) {
        if (add_zone(s, memctx_field_at(zones, gva) + i * s->zone_bytes, err) <
            0)
            return -1;
    }
    return 0;
}

/* The node that a kernel thread called kswapd works for, if that node knows
 * this thread, too (kswapd_run() of mm/vmscan.c). */
static bool
find_node(const struct sums *s, const struct memctx_task *task, uint64_t *ret)
{
    uint64_t kthread;
    uint64_t back;
    return task->is_kernel_thread && strncmp(task->name, "kswapd", 6) == 0 &&
           memctx_field_read(s->target, &s->field[KTHREAD], task->gva, &kthread,
                             NULL) == 0 &&
           memctx_field_read(s->target, &s->field[KTHREAD_DATA], kthread, ret,
                             NULL) == 0 &&
           memctx_field_read(s->target, &s->field[KSWAPD], *ret, &back, NULL) ==
               0 &&
           back == task->gva;
}

static int
add_nodes_of(struct sums *s, const struct memctx_tasks *tasks,
             struct memctx_error *err)
{
    unsigned found = 0;
    for (size_t i = 0; i < tasks->n && found < NODES_MAX; i++) {
        uint64_t gva;
        if (!find_node(s, &tasks->task[i], &gva))
            continue;
        if (add_node(s, gva, err) < 0)
            return -1;
        found++;
    }
    return found > 0 ? 0
                     : memctx_error_set(err, MEMCTX_PERMANENT,
                                        "nothing tells where the nodes of "
                                        "memory are");
}

/* With CONFIG_NUMA there is an array of pointers to nodes, else one node. */
static int
add_nodes(struct sums *s, const struct memctx_tasks *tasks,
          struct memctx_error *err)
{
    uint64_t nodes_gva;
    uint64_t n = NODES_MAX;
    unsigned word = memctx_target_word_size(s->target);
    if (memctx_target_number(s->target, "SYMBOL(contig_page_data)", &nodes_gva,
                             NULL) == 0)
        return add_node(s, nodes_gva, err);
    if (tasks != NULL && !memctx_target_has(s->target, "SYMBOL(node_data)"))
        return add_nodes_of(s, tasks, err);
    if (memctx_target_number(s->target, "SYMBOL(node_data)", &nodes_gva, err) <
            0 ||
        memctx_target_bounded(s->target, "LENGTH(node_data)", NODES_MAX, &n,
                              err) < 0)
        return -1;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t gva;
        if (memctx_view_pointer(&s->target->view, nodes_gva + i * word, &gva,
                                err) < 0 ||
            (gva != 0 && add_node(s, gva, err) < 0))
            return -1;
    }
    return 0;
}

/* nr_blockdev_pages(): pages of all inodes of the file system that block
 * devices are in. Bounded by INODES_MAX. */
static int
sum_buffers(const struct sums *s, uint64_t super_block_gva, uint64_t *ret)
{
    const struct memctx_field *link = &s->field[INODE_LINK];
    uint64_t head = memctx_field_at(&s->field[INODES], super_block_gva);
    uint64_t at = head;
    *ret = 0;
    for (unsigned i = 0; i < INODES_MAX; i++) {
        uint64_t mapping;
        uint64_t pages;
        if (memctx_list_next(s->target, at, &at, NULL) < 0)
            return -1;
        if (at == head)
            return 0;
        if (memctx_field_read(s->target, &s->field[MAPPING],
                              memctx_field_owner(link, at), &mapping,
                              NULL) < 0 ||
            memctx_field_read(s->target, &s->field[NRPAGES], mapping, &pages,
                              NULL) < 0)
            return -1;
        *ret += pages;
    }
    return -1;
}

static void
read_buffers(const struct sums *s, const struct memctx_landmarks *landmarks,
             struct memctx_meminfo *ret)
{
    uint64_t at = landmarks->gva[MEMCTX_AT_BLOCKDEV_SUPERBLOCK];
    uint64_t gva;
    uint64_t pages;
    bool known = s->field[INODES].known && s->field[INODE_LINK].known &&
                 s->field[MAPPING].known && s->field[NRPAGES].known;
    if (!known || at == 0 ||
        memctx_view_pointer(&s->target->view, at, &gva, NULL) < 0 ||
        sum_buffers(s, gva, &pages) < 0)
        return;
    ret->has_buffers = true;
    ret->buffers = memctx_min(pages, PAGES_MAX);
}

/* ---- what comes of it --------------------------------------------------- */

/* Counters lag behind each other: what is less than nothing is nothing. */
static uint64_t
no_less(int64_t pages)
{
    return pages < 0 ? 0 : (uint64_t)pages;
}

static uint64_t
but(uint64_t pages, uint64_t less)
{
    return pages < less ? 0 : pages - less;
}

/* si_mem_available() */
static uint64_t
available(const struct sums *s)
{
    uint64_t cache =
        no_less(s->count[ACTIVE_FILE]) + no_less(s->count[INACTIVE_FILE]);
    uint64_t slab = no_less(s->count[SLAB]) + no_less(s->count[MISC]);
    uint64_t sum = no_less(s->count[FREE]);
    sum += cache - memctx_min(cache / 2, s->low);
    sum += slab - memctx_min(slab / 2, s->low);
    return but(sum, s->reserve);
}

static int
fill(const struct sums *s, const struct memctx_landmarks *landmarks,
     struct memctx_meminfo *ret, struct memctx_error *err)
{
    uint64_t at = landmarks->gva[MEMCTX_AT_TOTALRAM_PAGES];
    uint64_t total;
    if (at == 0 || memctx_view_pointer(&s->target->view, at, &total, NULL) < 0)
        total = s->managed;
    if (total == 0 || total > PAGES_MAX || s->managed > PAGES_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu64 " pages of memory", total);
    ret->total = total;
    ret->free = memctx_min(no_less(s->count[FREE]), PAGES_MAX);
    ret->available = memctx_min(available(s), PAGES_MAX);
    ret->shmem = memctx_min(no_less(s->count[SHMEM]), PAGES_MAX);
    read_buffers(s, landmarks, ret);
    ret->cached = memctx_min(but(no_less(s->count[FILES]),
                                 no_less(s->count[SWAP_CACHE]) + ret->buffers),
                             PAGES_MAX);
    return 0;
}

int
memctx_meminfo_read(struct memctx_target *target, const struct memctx_btf *btf,
                    const struct memctx_landmarks *landmarks,
                    const struct memctx_tasks *tasks,
                    struct memctx_meminfo *ret, struct memctx_error *err)
{
    struct sums s = {.target = target};
    struct memctx_meminfo info = {.page_size = MEMCTX_PAGE_SIZE};
    if (memctx_target_bounded(target, "PAGESIZE", PAGE_SIZE_MAX,
                              &info.page_size, err) < 0 ||
        prepare(btf, &s, err) < 0 || add_nodes(&s, tasks, err) < 0 ||
        fill(&s, landmarks, &info, err) < 0)
        return -1;
    *ret = info;
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Variables first, then the node, the inodes, the texts. */
#include "figureimg.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* From the beginning of the room. */
#define TOTAL 0
#define AVENRUN 8
#define THREADS 32
#define TAINTED 40
#define PANIC_CPU 48
#define COMMAND_LINE 56
#define SUPERBLOCK 64
#define TIMEKEEPER 128
#define NODES 512
#define UTS 1024
#define TEXT 2048
#define SUPER 3072
#define INODE 3584
#define MAPPING 4032
#define KSWAPD 4608
#define KTHREAD 4672
#define NODE 8192

/* In struct pglist_data and struct zone; counters of 8 bytes. */
#define ZONES 0
#define ZONE_SIZE 256
#define NODE_STAT 512
#define NODE_RESERVE 640
#define NODE_KSWAPD 648
#define WATERMARK 0
#define BOOST 32
#define MANAGED 40
#define ZONE_STAT 48

enum {
    FREE,
    ZONE_COUNTERS
};
enum {
    INACTIVE,
    ACTIVE,
    SLAB,
    FILES,
    SHMEM,
    MISC,
    SWAP,
    NODE_COUNTERS
};

static void
add_enums(struct btfimg *img, enum figureimg_age age)
{
    const struct btfimg_enumerator zone[] = {{"NR_FREE_PAGES", FREE}};
    const struct btfimg_enumerator node[] = {
        {"NR_INACTIVE_FILE", INACTIVE},
        {"NR_ACTIVE_FILE", ACTIVE},
        {age == FIGUREIMG_NEW ? "NR_SLAB_RECLAIMABLE_B" : "NR_SLAB_RECLAIMABLE",
         SLAB},
        {"NR_FILE_PAGES", FILES},
        {"NR_SHMEM", SHMEM},
        {"NR_KERNEL_MISC_RECLAIMABLE", MISC},
        {age == FIGUREIMG_NEW ? "NR_SWAPCACHE" : "NR_OTHER", SWAP}};
    btfimg_enum(img, "zone_stat_item", zone, 1);
    btfimg_enum(img, "node_stat_item", node, NODE_COUNTERS);
}

static void
add_nodes(struct btfimg *img, uint32_t word)
{
    const struct btfimg_member zone[] = {
        {"_watermark", btfimg_array(img, word, 4), WATERMARK},
        {"watermark_boost", word, BOOST},
        {"managed_pages", word, MANAGED},
        {"vm_stat", btfimg_array(img, word, ZONE_COUNTERS), ZONE_STAT}};
    uint32_t id =
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "zone", ZONE_SIZE, zone, 4);
    const struct btfimg_member node[] = {
        {"node_zones", btfimg_array(img, id, 2), ZONES},
        {"vm_stat", btfimg_array(img, word, NODE_COUNTERS), NODE_STAT},
        {"totalreserve_pages", word, NODE_RESERVE},
        {"kswapd", word, NODE_KSWAPD}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "pglist_data", 1024, node, 4);
    const struct btfimg_member task[] = {{"set_child_tid", word, 0},
                                         {"worker_private", word, 8}};
    const struct btfimg_member thread[] = {{"data", word, 16}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "task_struct", 64, task, 2);
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "kthread", 64, thread, 1);
}

static void
add_clock(struct btfimg *img, uint32_t word, uint32_t number,
          enum figureimg_age age)
{
    const struct btfimg_member base[] = {
        {"shift", number, 0}, {"xtime_nsec", word, 8}, {"base", word, 16}};
    uint32_t id =
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "tk_read_base", 24, base, 3);
    const struct btfimg_member clock[] = {
        {"tkr_mono", id, 0}, {"offs_real", word, 24}, {"offs_boot", word, 32}};
    id = btfimg_struct(img, MEMCTX_BTF_STRUCT, "timekeeper", 40, clock, 3);
    const struct btfimg_member data[] = {{"seq", number, 0},
                                         {"timekeeper", id, 8}};
    if (age == FIGUREIMG_NEW)
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "tk_data", 64, data, 2);
}

static void
add_inodes(struct btfimg *img, uint32_t word)
{
    uint32_t links = btfimg_array(img, word, 2);
    const struct btfimg_member super[] = {{"s_inodes", links, 16}};
    const struct btfimg_member inode[] = {{"i_sb_list", links, 32},
                                          {"i_mapping", word, 8}};
    const struct btfimg_member mapping[] = {{"nrpages", word, 24}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "super_block", 64, super, 1);
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "inode", 64, inode, 2);
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "address_space", 64, mapping, 1);
}

void
figureimg_types(struct btfimg *img, enum figureimg_age age)
{
    uint32_t number = btfimg_int(img, "unsigned int", 4);
    uint32_t word = btfimg_int(img, "unsigned long", 8);
    uint32_t letter = btfimg_int(img, "char", 1);
    const struct btfimg_member uts[] = {
        {"name", btfimg_array(img, letter, 390), 8}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "uts_namespace", 400, uts, 1);
    add_enums(img, age);
    add_nodes(img, word);
    add_clock(img, word, number, age);
    add_inodes(img, word);
}

static void
write_zone(const struct explimg *x, unsigned index, uint64_t low,
           uint64_t managed, uint64_t pages)
{
    uint64_t gva = x->room_gva + NODE + ZONES + (uint64_t)index * ZONE_SIZE;
    explimg_le64(x, gva + WATERMARK, low / 2);
    explimg_le64(x, gva + WATERMARK + 8, low);
    explimg_le64(x, gva + BOOST, 50);
    explimg_le64(x, gva + MANAGED, managed);
    explimg_le64(x, gva + ZONE_STAT + 8 * FREE, pages);
}

static void
write_memory(const struct explimg *x)
{
    static const uint64_t counters[NODE_COUNTERS] = {
        [INACTIVE] = 7000, [ACTIVE] = 9000, [SLAB] = 4000, [FILES] = 20000,
        [SHMEM] = 3000,    [MISC] = 200,    [SWAP] = 500};
    uint64_t gva = x->room_gva;
    explimg_le64(x, gva + TOTAL, 100000);
    explimg_le64(x, gva + NODES, gva + NODE);
    write_zone(x, 0, 40, 4000, 1000);
    write_zone(x, 1, 160, 95999, 39000);
    for (unsigned i = 0; i < NODE_COUNTERS; i++)
        explimg_le64(x, gva + NODE + NODE_STAT + 8 * i, counters[i]);
    explimg_le64(x, gva + NODE + NODE_RESERVE, 1000);
    explimg_le64(x, gva + NODE + NODE_KSWAPD, gva + KSWAPD);
    explimg_le64(x, gva + KSWAPD + 8, gva + KTHREAD);
    explimg_le64(x, gva + KTHREAD + 16, gva + NODE);
    explimg_le64(x, gva + SUPERBLOCK, gva + SUPER);
    explimg_list_init(x, gva + SUPER + 16);
    explimg_list_add(x, gva + SUPER + 16, gva + INODE + 32);
    explimg_le64(x, gva + INODE + 8, gva + MAPPING);
    explimg_le64(x, gva + MAPPING + 24, 700);
}

static void
write_clock(const struct explimg *x, uint64_t gva)
{
    explimg_le32(x, gva, 8);
    explimg_le64(x, gva + 8, UINT64_C(500000000) << 8);
    explimg_le64(x, gva + 16, UINT64_C(234000000000));
    explimg_le64(x, gva + 24, UINT64_C(1800001000000000000));
    explimg_le64(x, gva + 32, UINT64_C(1000000000000));
}

void
figureimg_write(const struct explimg *x)
{
    static const uint64_t load[] = {1024, 2560, 6144};
    uint64_t gva = x->room_gva;
    write_memory(x);
    write_clock(x, gva + TIMEKEEPER + 8);
    for (unsigned i = 0; i < 3; i++)
        explimg_le64(x, gva + AVENRUN + 8 * i, load[i]);
    explimg_le32(x, gva + THREADS, 77);
    explimg_le32(x, gva + PANIC_CPU, UINT32_MAX);
    explimg_le64(x, gva + COMMAND_LINE, gva + TEXT);
    explimg_write(x, gva + TEXT, "root=/dev/vda quiet", 20);
    explimg_write(x, gva + UTS + 8, "Linux", 6);
    explimg_write(x, gva + UTS + 8 + 65, "guest", 6);
}

struct memctx_task
figureimg_kswapd(const struct explimg *x)
{
    return (struct memctx_task){.gva = x->room_gva + KSWAPD,
                                .pid = 30,
                                .is_kernel_thread = true,
                                .name = "kswapd0"};
}

struct memctx_landmarks
figureimg_landmarks(const struct explimg *x)
{
    static const struct {
        enum memctx_landmark landmark;
        uint64_t at;
    } rows[] = {{MEMCTX_AT_TOTALRAM_PAGES, TOTAL},
                {MEMCTX_AT_AVENRUN, AVENRUN},
                {MEMCTX_AT_NR_THREADS, THREADS},
                {MEMCTX_AT_TAINTED_MASK, TAINTED},
                {MEMCTX_AT_PANIC_CPU, PANIC_CPU},
                {MEMCTX_AT_COMMAND_LINE, COMMAND_LINE},
                {MEMCTX_AT_BLOCKDEV_SUPERBLOCK, SUPERBLOCK},
                {MEMCTX_AT_TIMEKEEPERS, TIMEKEEPER}};
    struct memctx_landmarks ret = {{0}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++)
        ret.gva[rows[i].landmark] = x->room_gva + rows[i].at;
    return ret;
}

void
figureimg_note(const struct explimg *x, char note[FIGUREIMG_NOTE_MAX])
{
    snprintf(note, FIGUREIMG_NOTE_MAX,
             "OSRELEASE=6.17.0\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%" PRIx64
             "\nSYMBOL(node_data)=%" PRIx64 "\nLENGTH(node_data)=64\n",
             x->room_gva + UTS, x->room_gva + NODES);
}

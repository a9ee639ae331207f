/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each figure by itself: one that cannot be read does not keep the others. */
#include "explain/figures.h"

#include "explain/fields.h"
#include "explain/meminfo.h"

#define OOPSED 7u                    /* TAINT_DIE of include/linux/panic.h */
#define TIME_MAX (UINT64_C(1) << 62) /* ns */
#define SECOND UINT64_C(1000000000)

const char *
memctx_figure_key(enum memctx_figure figure)
{
    static const char *const keys[MEMCTX_FIGURES] = {
        [MEMCTX_FIGURE_UPTIME] = "uptime",
        [MEMCTX_FIGURE_BOOTED] = "booted",
        [MEMCTX_FIGURE_LOAD_1] = "load1",
        [MEMCTX_FIGURE_LOAD_5] = "load5",
        [MEMCTX_FIGURE_LOAD_15] = "load15",
        [MEMCTX_FIGURE_THREADS] = "threads",
        [MEMCTX_FIGURE_MEM_TOTAL] = "mem_total",
        [MEMCTX_FIGURE_MEM_FREE] = "mem_free",
        [MEMCTX_FIGURE_MEM_AVAILABLE] = "mem_available",
        [MEMCTX_FIGURE_BUFFERS] = "buffers",
        [MEMCTX_FIGURE_CACHED] = "cached",
        [MEMCTX_FIGURE_SHMEM] = "shmem",
        [MEMCTX_FIGURE_TAINTED] = "tainted",
    };
    return keys[figure];
}

static void
set(struct memctx_figures *figures, enum memctx_figure figure, uint64_t value)
{
    figures->has |= UINT64_C(1) << figure;
    figures->value[figure] = value;
}

static bool
read_at(struct memctx_target *target, uint64_t gva, void *buf, size_t len)
{
    return gva != 0 &&
           memctx_view_read(&target->view, gva, buf, len, NULL) == 0;
}

/* ---- time --------------------------------------------------------------- */

enum {
    BASE,
    NSEC,
    SHIFT,
    TO_REAL,
    TO_BOOT,
    FIELDS
};

static const struct memctx_wish wishes[FIELDS] = {
    [BASE] = {"timekeeper", "tkr_mono.base", NULL, false},
    [NSEC] = {"timekeeper", "tkr_mono.xtime_nsec", NULL, false},
    [SHIFT] = {"timekeeper", "tkr_mono.shift", NULL, false},
    [TO_REAL] = {"timekeeper", "offs_real", NULL, false},
    [TO_BOOT] = {"timekeeper", "offs_boot", NULL, false},
};

/* shadow_timekeeper until 6.12; then it stands in tk_core, a struct tk_data,
 * of which there is an array since 6.17. 0: not known. */
static uint64_t
timekeeper_of(const struct memctx_btf *btf,
              const struct memctx_landmarks *landmarks)
{
    struct memctx_btf_field field;
    uint64_t gva = landmarks->gva[MEMCTX_AT_TIMEKEEPERS];
    if (landmarks->gva[MEMCTX_AT_TIMEKEEPER] != 0)
        return landmarks->gva[MEMCTX_AT_TIMEKEEPER];
    if (gva == 0)
        gva = landmarks->gva[MEMCTX_AT_TK_CORE];
    if (gva == 0 ||
        memctx_btf_field(btf, "tk_data", "timekeeper", &field, NULL) < 0)
        return 0;
    return gva + field.offset_bits / 8;
}

/* As ktime_get_boottime(), without what has gone by since the last tick. */
static void
read_time(struct memctx_target *target, const struct memctx_btf *btf,
          const struct memctx_landmarks *landmarks, struct memctx_figures *ret)
{
    struct memctx_field field[FIELDS];
    uint64_t value[FIELDS];
    uint64_t gva = timekeeper_of(btf, landmarks);
    if (gva == 0 ||
        memctx_fields_find(target, btf, wishes, FIELDS, field, NULL) < 0)
        return;
    for (unsigned i = 0; i < FIELDS; i++) {
        if (memctx_field_read(target, &field[i], gva, &value[i], NULL) < 0)
            return;
    }
    if (value[SHIFT] > 32 || value[BASE] > TIME_MAX ||
        value[TO_BOOT] > TIME_MAX || value[TO_REAL] > TIME_MAX)
        return;
    uint64_t mono = value[BASE] + (value[NSEC] >> value[SHIFT]) % SECOND;
    set(ret, MEMCTX_FIGURE_UPTIME, (mono + value[TO_BOOT]) / SECOND);
    if (value[TO_REAL] >= value[TO_BOOT])
        set(ret, MEMCTX_FIGURE_BOOTED,
            (value[TO_REAL] - value[TO_BOOT]) / SECOND);
}

/* ---- load, tasks, memory ------------------------------------------------ */

/* Fixed-point numbers with 11 bits behind the point; /proc/loadavg adds half a
 * hundredth (get_avenrun()). */
static void
read_load(struct memctx_target *target, uint64_t gva,
          struct memctx_figures *ret)
{
    unsigned word = memctx_target_word_size(target);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t load;
        if (gva == 0 ||
            memctx_view_pointer(&target->view, gva + i * word, &load, NULL) < 0)
            return;
        load = (load & UINT32_MAX) + (1u << 11) / 200;
        set(ret, MEMCTX_FIGURE_LOAD_1 + i, load * 100 >> 11);
    }
}

static void
read_threads(struct memctx_target *target, uint64_t gva,
             struct memctx_figures *ret)
{
    unsigned char raw[4];
    if (read_at(target, gva, raw, sizeof(raw)))
        set(ret, MEMCTX_FIGURE_THREADS, memctx_le32(raw));
}

static void
read_memory(struct memctx_target *target, const struct memctx_btf *btf,
            const struct memctx_landmarks *landmarks,
            const struct memctx_tasks *tasks, struct memctx_figures *ret)
{
    struct memctx_meminfo info;
    if (memctx_meminfo_read(target, btf, landmarks, tasks, &info, NULL) < 0)
        return;
    set(ret, MEMCTX_FIGURE_MEM_TOTAL, info.total * info.page_size);
    set(ret, MEMCTX_FIGURE_MEM_FREE, info.free * info.page_size);
    set(ret, MEMCTX_FIGURE_MEM_AVAILABLE, info.available * info.page_size);
    set(ret, MEMCTX_FIGURE_CACHED, info.cached * info.page_size);
    set(ret, MEMCTX_FIGURE_SHMEM, info.shmem * info.page_size);
    if (info.has_buffers)
        set(ret, MEMCTX_FIGURE_BUFFERS, info.buffers * info.page_size);
}

/* ---- failures ----------------------------------------------------------- */

/* panic_cpu is -1 until a CPU panics (kernel/panic.c, since 4.5). VMCOREINFO
 * gets a CRASHTIME when the crash kernel is started. */
static void
read_failures(struct memctx_target *target,
              const struct memctx_landmarks *landmarks,
              struct memctx_figures *ret)
{
    unsigned char raw[4];
    uint64_t taint;
    uint64_t gva = landmarks->gva[MEMCTX_AT_TAINTED_MASK];
    if (read_at(target, landmarks->gva[MEMCTX_AT_PANIC_CPU], raw,
                sizeof(raw))) {
        ret->has_panicked = true;
        ret->panicked = memctx_le32(raw) != UINT32_MAX;
    }
    if (memctx_target_has(target, "CRASHTIME")) {
        ret->has_panicked = true;
        ret->panicked = true;
    }
    if (gva != 0 &&
        memctx_view_pointer(&target->view, gva, &taint, NULL) == 0) {
        set(ret, MEMCTX_FIGURE_TAINTED, taint);
        ret->oopsed = (taint >> OOPSED & 1) != 0;
    }
}

/* ---- names -------------------------------------------------------------- */

/* struct new_utsname begins with the names of system and node, 65 bytes each
 * (include/uapi/linux/utsname.h); VMCOREINFO tells where it is since 5.11. */
static void
read_hostname(struct memctx_target *target, const struct memctx_btf *btf,
              struct memctx_figures *ret)
{
    struct memctx_btf_field field;
    uint64_t gva;
    uint64_t name;
    if (memctx_target_number(target, "SYMBOL(init_uts_ns)", &gva, NULL) < 0)
        return;
    if (btf != NULL &&
        memctx_btf_field(btf, "uts_namespace", "name", &field, NULL) == 0)
        name = field.offset_bits / 8;
    else if (memctx_target_number(target, "OFFSET(uts_namespace.name)", &name,
                                  NULL) < 0)
        return;
    if (name >= MEMCTX_PAGE_SIZE ||
        memctx_chars_read(target, gva + name + 65, ret->hostname, 65, NULL) < 0)
        ret->hostname[0] = '\0';
}

static void
read_command_line(struct memctx_target *target, uint64_t at,
                  struct memctx_figures *ret)
{
    uint64_t gva;
    if (at == 0 || memctx_view_pointer(&target->view, at, &gva, NULL) < 0 ||
        memctx_chars_read(target, gva, ret->command_line,
                          sizeof(ret->command_line), NULL) < 0)
        ret->command_line[0] = '\0';
}

void
memctx_figures_read(struct memctx_target *target, const struct memctx_btf *btf,
                    const struct memctx_landmarks *landmarks,
                    const struct memctx_tasks *tasks,
                    struct memctx_figures *ret)
{
    const uint64_t *gva = landmarks->gva;
    *ret = (struct memctx_figures){.has = 0};
    if (btf != NULL) {
        read_time(target, btf, landmarks, ret);
        read_memory(target, btf, landmarks, tasks, ret);
    }
    read_load(target, gva[MEMCTX_AT_AVENRUN], ret);
    read_threads(target, gva[MEMCTX_AT_NR_THREADS], ret);
    read_failures(target, landmarks, ret);
    read_hostname(target, btf, ret);
    read_command_line(target, gva[MEMCTX_AT_COMMAND_LINE], ret);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Figures are those of the guest's own /proc; what is not known is not there.
 */
#include "unit.h"

#include "charged.h"
#include "explain/figures.h"
#include "explain/meminfo.h"
#include "figureimg.h"

#define PAGE UINT64_C(4096)

struct fixture {
    struct explimg x;
    struct memctx_btf *btf;
    struct memctx_rammap *map;
    struct memctx_target target;
    struct memctx_landmarks landmarks;
    const struct memctx_tasks *tasks;
    struct memctx_figures figures;
    char note[FIGUREIMG_NOTE_MAX];
    struct memctx_error err;
};

static void
set_types(struct fixture *f, enum figureimg_age age)
{
    struct btfimg *types = calloc(1, sizeof(*types));
    btfimg_init(types);
    figureimg_types(types, age);
    memctx_btf_destroy(f->btf);
    f->btf = btfimg_open(types);
    free(types);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    explimg_init(&f->x);
    figureimg_write(&f->x);
    figureimg_note(&f->x, f->note);
    f->landmarks = figureimg_landmarks(&f->x);
    set_types(f, FIGUREIMG_NEW);
    f->map = explimg_rammap(&f->x);
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_btf_destroy(f->btf);
    memctx_rammap_destroy(f->map);
    explimg_deinit(&f->x);
    free(f);
    return 0;
}

static void
look(struct fixture *f)
{
    memctx_target_refresh(&f->target);
    memctx_figures_read(&f->target, f->btf, &f->landmarks, f->tasks,
                        &f->figures);
}

/* The figure is there, and this one. */
static void
assert_figure_at(const struct fixture *f, enum memctx_figure figure,
                 uint64_t value, int line)
{
    if (memctx_figures_has(&f->figures, figure) &&
        f->figures.value[figure] == value)
        return;
    print_error("figure %d: wanted %llu, found %llu (%d)\n", (int)figure,
                (unsigned long long)value,
                (unsigned long long)f->figures.value[figure],
                memctx_figures_has(&f->figures, figure));
    _fail(__FILE__, line);
}

#define assert_figure(f, figure, value) \
    assert_figure_at((f), MEMCTX_FIGURE_##figure, (value), __LINE__)
#define assert_unknown(f, figure) \
    assert_false(memctx_figures_has(&(f)->figures, MEMCTX_FIGURE_##figure))

static void
test_all_figures(void **state)
{
    struct fixture *f = *state;
    look(f);
    assert_figure(f, UPTIME, 1234);
    assert_figure(f, BOOTED, 1800000000);
    assert_figure(f, LOAD_1, 50);
    assert_figure(f, LOAD_5, 125);
    assert_figure(f, LOAD_15, 300);
    assert_figure(f, THREADS, 77);
    assert_figure(f, MEM_TOTAL, 100000 * PAGE);
    assert_figure(f, MEM_FREE, 40000 * PAGE);
    /* 40000 + 16000 - 300 + 4200 - 300 - 1000 */
    assert_figure(f, MEM_AVAILABLE, 58600 * PAGE);
    assert_figure(f, BUFFERS, 700 * PAGE);
    assert_figure(f, CACHED, (20000 - 500 - 700) * PAGE);
    assert_figure(f, SHMEM, 3000 * PAGE);
    assert_figure(f, TAINTED, 0);
    assert_true(f->figures.has_panicked);
    assert_false(f->figures.panicked);
    assert_false(f->figures.oopsed);
    assert_string_equal(f->figures.hostname, "guest");
    assert_string_equal(f->figures.command_line, "root=/dev/vda quiet");
}

static void
test_an_older_kernel(void **state)
{
    struct fixture *f = *state;
    set_types(f, FIGUREIMG_OLD);
    f->landmarks.gva[MEMCTX_AT_TIMEKEEPER] =
        f->landmarks.gva[MEMCTX_AT_TIMEKEEPERS] + 8;
    f->landmarks.gva[MEMCTX_AT_TIMEKEEPERS] = 0;
    look(f);
    assert_figure(f, UPTIME, 1234);
    assert_figure(f, CACHED, (20000 - 700) * PAGE);
    assert_figure(f, MEM_AVAILABLE, 58600 * PAGE);
}

static void
test_a_clock_in_tk_core(void **state)
{
    struct fixture *f = *state;
    f->landmarks.gva[MEMCTX_AT_TK_CORE] =
        f->landmarks.gva[MEMCTX_AT_TIMEKEEPERS];
    f->landmarks.gva[MEMCTX_AT_TIMEKEEPERS] = 0;
    look(f);
    assert_figure(f, UPTIME, 1234);
    set_types(f, FIGUREIMG_OLD); /* nobody says where in it */
    look(f);
    assert_unknown(f, UPTIME);
    assert_figure(f, MEM_FREE, 40000 * PAGE);
}

/* CONFIG_KALLSYMS_ALL=n: VMCOREINFO and types alone. */
static void
test_a_kernel_without_symbols(void **state)
{
    struct fixture *f = *state;
    f->landmarks = (struct memctx_landmarks){{0}};
    look(f);
    assert_figure(f, MEM_TOTAL, 99999 * PAGE); /* what the zones manage */
    assert_figure(f, MEM_FREE, 40000 * PAGE);
    assert_figure(f, CACHED, 19500 * PAGE);
    assert_unknown(f, BUFFERS);
    assert_unknown(f, UPTIME);
    assert_unknown(f, LOAD_1);
    assert_unknown(f, THREADS);
    assert_unknown(f, TAINTED);
    assert_false(f->figures.has_panicked);
    assert_string_equal(f->figures.hostname, "guest");
    assert_string_equal(f->figures.command_line, "");
}

/* VMCOREINFO of aarch64 does not name them; their kswapd does, if both know
 * each other. */
static void
test_nodes_by_their_kswapd(void **state)
{
    struct fixture *f = *state;
    struct memctx_task task[3] = {{.gva = f->x.room_gva, .name = "kswapd1"}};
    const struct memctx_tasks tasks = {task, 3};
    char *names = strstr(f->note, "SYMBOL(node_data)");
    assert_non_null(names);
    *names = '\0';
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    look(f);
    assert_unknown(f, MEM_TOTAL);
    f->tasks = &tasks;
    look(f);
    assert_unknown(f, MEM_TOTAL);
    task[1] = figureimg_kswapd(&f->x);
    look(f);
    assert_figure(f, MEM_TOTAL, 100000 * PAGE);
    assert_figure(f, MEM_FREE, 40000 * PAGE);
    explimg_le64(&f->x, f->x.room_gva + 8192 + 648, 0);
    look(f);
    assert_unknown(f, MEM_TOTAL);
}

static void
test_a_kernel_without_types(void **state)
{
    struct fixture *f = *state;
    char more[64];
    memctx_btf_destroy(f->btf);
    f->btf = NULL;
    look(f);
    assert_unknown(f, MEM_TOTAL);
    assert_unknown(f, UPTIME);
    assert_figure(f, LOAD_1, 50);
    assert_figure(f, THREADS, 77);
    assert_string_equal(f->figures.hostname, "");
    snprintf(more, sizeof(more), "OFFSET(uts_namespace.name)=8\n");
    strcat(f->note, more);
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    look(f);
    assert_string_equal(f->figures.hostname, "guest");
}

static void
test_panics_and_oopses(void **state)
{
    struct fixture *f = *state;
    explimg_le32(&f->x, f->landmarks.gva[MEMCTX_AT_PANIC_CPU], 3);
    explimg_le64(&f->x, f->landmarks.gva[MEMCTX_AT_TAINTED_MASK], 0x80);
    look(f);
    assert_true(f->figures.panicked);
    assert_true(f->figures.oopsed);
    assert_figure(f, TAINTED, 0x80);
    f->landmarks = (struct memctx_landmarks){{0}};
    strcat(f->note, "CRASHTIME=1800000500\n");
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    look(f);
    assert_true(f->figures.has_panicked);
    assert_true(f->figures.panicked);
}

/* ---- what makes no sense ------------------------------------------------- */

static void
test_counters_of_less_than_nothing(void **state)
{
    struct fixture *f = *state;
    struct memctx_meminfo info;
    uint64_t node = explimg_read_le64(&f->x, f->x.room_gva + 512);
    for (uint64_t at = 0; at < 648; at += 8)
        explimg_le64(&f->x, node + at, UINT64_MAX);
    explimg_le64(&f->x, node + 40, 5); /* of the first zone is managed */
    explimg_le64(&f->x, node + 256 + 40, 5);
    look(f);
    assert_figure(f, MEM_FREE, 0);
    assert_figure(f, CACHED, 0);
    assert_figure(f, MEM_AVAILABLE, 0);
    explimg_le64(&f->x, node + 40, UINT64_MAX / 2);
    memctx_target_refresh(&f->target);
    assert_int_equal(memctx_meminfo_read(&f->target, f->btf, &f->landmarks,
                                         NULL, &info, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "pages of memory");
}

static void
test_a_list_of_inodes_without_an_end(void **state)
{
    struct fixture *f = *state;
    uint64_t super = explimg_read_le64(
        &f->x, f->landmarks.gva[MEMCTX_AT_BLOCKDEV_SUPERBLOCK]);
    uint64_t inode = explimg_read_le64(&f->x, super + 16);
    explimg_list_init(&f->x, inode);
    look(f);
    assert_unknown(f, BUFFERS);
    assert_figure(f, CACHED, 19500 * PAGE);
}

static void
test_a_clock_that_makes_no_sense(void **state)
{
    struct fixture *f = *state;
    uint64_t clock = f->landmarks.gva[MEMCTX_AT_TIMEKEEPERS] + 8;
    explimg_le32(&f->x, clock, 64);
    look(f);
    assert_unknown(f, UPTIME);
    explimg_le32(&f->x, clock, 8);
    explimg_le64(&f->x, clock + 16, UINT64_MAX);
    look(f);
    assert_unknown(f, UPTIME);
}

static void
test_a_node_map_that_makes_no_sense(void **state)
{
    struct fixture *f = *state;
    char *length = strstr(f->note, "LENGTH(node_data)=64");
    assert_non_null(length);
    memcpy(length, "LENGTH(node_data)=9999", 22);
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    look(f);
    assert_unknown(f, MEM_TOTAL);
    assert_figure(f, UPTIME, 1234);
}

static void
test_nothing_can_be_read(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    charge_map(&f->map, &work, 0);
    memctx_target_init(&f->target, f->map, &f->x.kernel, f->note,
                       strlen(f->note));
    look(f);
    assert_int_equal(f->figures.has, 0);
    assert_false(f->figures.has_panicked);
    assert_string_equal(f->figures.hostname, "");
    assert_string_equal(f->figures.command_line, "");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_all_figures),
        T(test_an_older_kernel),
        T(test_a_clock_in_tk_core),
        T(test_a_kernel_without_symbols),
        T(test_nodes_by_their_kswapd),
        T(test_a_kernel_without_types),
        T(test_panics_and_oopses),
        T(test_counters_of_less_than_nothing),
        T(test_a_list_of_inodes_without_an_end),
        T(test_a_clock_that_makes_no_sense),
        T(test_a_node_map_that_makes_no_sense),
        T(test_nothing_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

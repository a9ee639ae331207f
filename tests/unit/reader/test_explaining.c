/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What libmemctx tells of a guest that explains itself. */
#include "unit.h"

#include "fakeagent.h"
#include "memctx.h"
#include "talkimg.h"
#include "winimg.h"

struct fixture {
    struct guestimg img;
    struct guestimg_kernel kernel;
    struct fakeagent fake;
    struct memctx_agent *agent;
    struct memctx_reader *reader;
    struct memctx_error err;
};

static struct fixture *
make_fixture(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    guestimg_init(&f->img, 128 * MEMCTX_MIB, 128 * MEMCTX_MIB);
    f->kernel = guestimg_kernel();
    return f;
}

static void
open_reader(struct fixture *f)
{
    fakeagent_start(&f->fake, &f->img, NULL);
    assert_done(memctx_agent_connect(f->fake.dir, &f->agent, &f->err), &f->err);
    assert_done(memctx_reader_open(f->agent, "web1", 0, &f->reader, &f->err),
                &f->err);
}

static int
setup(void **state)
{
    struct fixture *f = make_fixture();
    talkimg_add(&f->img, &f->kernel);
    open_reader(f);
    *state = f;
    return 0;
}

/* A kernel that tells nothing but where it is. */
static int
setup_dumb(void **state)
{
    struct fixture *f = make_fixture();
    guestimg_add_kernel(&f->img, &f->kernel);
    open_reader(f);
    *state = f;
    return 0;
}

static int
setup_windows(void **state)
{
    struct fixture *f = make_fixture();
    struct winimg w = winimg(26100, MEMCTX_PAGING_X86_64_4LEVEL);
    winimg_write(&f->img, &w);
    open_reader(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_reader_close(f->reader);
    memctx_agent_disconnect(f->agent);
    fakeagent_stop(&f->fake);
    guestimg_deinit(&f->img);
    free(f);
    return 0;
}

/* ---- the log ------------------------------------------------------------- */

static void
assert_record(struct fixture *f, struct memctx_log *log, unsigned level,
              const char *text)
{
    const struct memctx_log_record *record;
    int got = memctx_log_next(log, &record, &f->err);
    if (got < 0)
        fail_msg("%s", f->err.message);
    assert_int_equal(got, 1);
    assert_int_equal(record->level, level);
    assert_int_equal(record->lost, 0);
    assert_int_equal(record->len, strlen(text));
    assert_string_equal(record->text, text);
}

static void
the_log_as_it_stands_and_as_it_grows(void **state)
{
    struct fixture *f = *state;
    const struct memctx_log_record *record;
    for (unsigned flags = 0; flags <= MEMCTX_LOG_FOLLOW; flags++) {
        struct memctx_log *log;
        struct logimg img = talkimg_log(&f->img, &f->kernel);
        logimg_add(&img, 5, 1000000, "first");
        logimg_add(&img, 4, 2000000, "second\nline");
        assert_done(memctx_reader_log(f->reader, flags, &log, &f->err),
                    &f->err);
        logimg_add(&img, 3, 3000000, "third");
        assert_record(f, log, 5, "first");
        assert_record(f, log, 4, "second\nline");
        if (flags == MEMCTX_LOG_FOLLOW)
            assert_record(f, log, 3, "third");
        assert_int_equal(memctx_log_next(log, &record, &f->err), 0);
        memctx_log_close(log);
    }
}

static void
a_log_ends_with_its_kernel(void **state)
{
    struct fixture *f = *state;
    const struct memctx_log_record *record;
    struct memctx_log *log;
    assert_int_equal(memctx_reader_log(f->reader, 2, &log, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "does not know the flags 0x2");
    assert_done(memctx_reader_log(f->reader, 0, &log, &f->err), &f->err);
    assert_record(f, log, 5, "first");
    fakeagent_set_epoch(&f->fake, 8);
    assert_int_equal(memctx_log_next(log, &record, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_STALE);
    assert_done(memctx_reader_renew(f->reader, 0, &f->err), &f->err);
    /* What it read through is gone. */
    assert_int_equal(memctx_log_next(log, &record, &f->err), -1);
    assert_error(&f->err, MEMCTX_STALE, "the reader was renewed");
    memctx_log_close(log);
    assert_done(memctx_reader_log(f->reader, 0, &log, &f->err), &f->err);
    assert_record(f, log, 5, "first");
    memctx_log_close(log);
    memctx_log_close(NULL);
}

/* ---- lists --------------------------------------------------------------- */

static void
all_symbols(void **state)
{
    struct fixture *f = *state;
    struct memctx_symbols *symbols;
    struct memctx_symbol symbol;
    assert_done(memctx_reader_symbols(f->reader, &symbols, &f->err), &f->err);
    assert_null(memctx_symbols_broken(symbols));
    size_t n = memctx_symbols_count(symbols);
    assert_true(n > TALKIMG_SYMBOLS);
    assert_string_equal(memctx_symbols_at(symbols, n - 1).module, "fat");
    assert_int_equal(memctx_symbols_find(symbols, "do_exit", &symbol), 0);
    assert_true(symbol.address == f->kernel.text_gva + 0x100);
    assert_string_equal(symbol.module, "");
    assert_int_equal(
        memctx_symbols_below(symbols, f->kernel.text_gva + 0x104, &symbol), 0);
    assert_string_equal(symbol.name, "do_exit");
    assert_int_equal(memctx_symbols_find(symbols, "dummy_init", &symbol), 0);
    assert_string_equal(symbol.module, "dummy");
    memctx_symbols_free(symbols);
    memctx_symbols_free(NULL);
}

static void
all_processes(void **state)
{
    struct fixture *f = *state;
    struct memctx_process_list *list;
    assert_done(memctx_reader_processes(f->reader, &list, &f->err), &f->err);
    assert_null(memctx_process_list_broken(list));
    const struct memctx_process_info *process = memctx_process_list_at(list, 1);
    assert_int_equal(process->pid, 7);
    assert_int_equal(process->ppid, 1);
    assert_int_equal(process->uid, 1000);
    assert_int_equal(process->state, 'S');
    assert_int_equal(process->is_kernel, 0);
    assert_true(process->start_ns == UINT64_C(7000000000));
    assert_string_equal(process->name, "a\"b");
    assert_int_equal(memctx_process_list_at(list, 2)->pid, 100);
    assert_null(memctx_process_list_at(list, 2 + TALKIMG_WORKERS));
    /* It does not need the reader any more. */
    memctx_reader_close(f->reader);
    f->reader = NULL;
    assert_string_equal(memctx_process_list_at(list, 0)->name, "init");
    memctx_process_list_free(list);
    memctx_process_list_free(NULL);
}

static void
all_modules(void **state)
{
    struct fixture *f = *state;
    struct memctx_module_list *list;
    assert_done(memctx_reader_modules(f->reader, &list, &f->err), &f->err);
    assert_null(memctx_module_list_broken(list));
    const struct memctx_module_info *module = memctx_module_list_at(list, 1);
    assert_string_equal(module->name, "fat");
    assert_int_equal(module->size, 0x3000);
    assert_string_equal(module->state, "Live");
    assert_int_equal(module->n_users, 1);
    assert_string_equal(module->users[0], "dummy");
    assert_int_equal(memctx_module_list_at(list, 0)->n_users, 0);
    assert_null(memctx_module_list_at(list, 2));
    memctx_module_list_free(list);
    memctx_module_list_free(NULL);
}

static void
all_figures(void **state)
{
    struct fixture *f = *state;
    struct memctx_stat *stat;
    uint64_t number = 77;
    assert_done(memctx_reader_stat(f->reader, &stat, &f->err), &f->err);
    assert_null(memctx_stat_broken(stat));
    const struct {
        const char *key;
        uint64_t wanted;
    } numbers[] = {{"mem_total", UINT64_C(100000) * 4096},
                   {"uptime", 1234},
                   {"load2", UINT64_MAX},
                   {"load5", 125},
                   {"processes", 2 + TALKIMG_WORKERS},
                   {"panicked", 0},
                   {"oopsed", 0},
                   {"hostname", UINT64_MAX},
                   {"", UINT64_MAX}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(numbers); i++) {
        number = UINT64_MAX;
        int failed = memctx_stat_number(stat, numbers[i].key, &number);
        assert_int_equal(failed, numbers[i].wanted == UINT64_MAX ? -1 : 0);
        assert_true(number == numbers[i].wanted);
    }
    assert_string_equal(memctx_stat_text(stat, "command_line"),
                        "root=/dev/vda quiet");
    assert_non_null(strstr(memctx_stat_text(stat, "kernel"), "6.1."));
    assert_null(memctx_stat_text(stat, "uptime"));
    memctx_stat_free(stat);
    memctx_stat_free(NULL);
}

/* ---- what is not told ---------------------------------------------------- */

static void
a_kernel_that_tells_little(void **state)
{
    struct fixture *f = *state;
    struct memctx_log *log;
    struct memctx_symbols *symbols;
    struct memctx_process_list *processes;
    struct memctx_module_list *modules;
    struct memctx_stat *stat;
    uint64_t number;
    assert_int_equal(memctx_reader_log(f->reader, 0, &log, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_PERMANENT);
    assert_int_equal(memctx_reader_symbols(f->reader, &symbols, &f->err), -1);
    assert_int_equal(memctx_reader_modules(f->reader, &modules, &f->err), -1);
    assert_int_equal(memctx_reader_processes(f->reader, &processes, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "has no BTF");
    assert_done(memctx_reader_stat(f->reader, &stat, &f->err), &f->err);
    assert_non_null(strstr(memctx_stat_broken(stat), "has no BTF"));
    assert_int_equal(memctx_stat_number(stat, "mem_total", &number), -1);
    assert_int_equal(memctx_stat_number(stat, "processes", &number), -1);
    memctx_stat_free(stat);
}

static void
lists_that_broke_off(void **state)
{
    struct fixture *f = *state;
    struct memctx_symbols *symbols;
    struct memctx_process_list *processes;
    struct memctx_module_list *modules;
    talkimg_break(&f->img, &f->kernel);
    assert_done(memctx_reader_processes(f->reader, &processes, &f->err),
                &f->err);
    assert_non_null(strstr(memctx_process_list_broken(processes), "broke off"));
    assert_string_equal(memctx_process_list_at(processes, 0)->name, "init");
    assert_null(memctx_process_list_at(processes, 1));
    assert_done(memctx_reader_modules(f->reader, &modules, &f->err), &f->err);
    assert_non_null(strstr(memctx_module_list_broken(modules), "broke off"));
    assert_null(memctx_module_list_at(modules, 1));
    assert_done(memctx_reader_symbols(f->reader, &symbols, &f->err), &f->err);
    assert_non_null(strstr(memctx_symbols_broken(symbols), "broke off"));
    memctx_process_list_free(processes);
    memctx_module_list_free(modules);
    memctx_symbols_free(symbols);
}

static void
what_windows_tells(void **state)
{
    struct fixture *f = *state;
    struct memctx_log *log;
    struct memctx_stat *stat;
    struct memctx_process_list *list;
    assert_int_equal(memctx_reader_log(f->reader, 0, &log, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "only a Linux tells that");
    assert_int_equal(memctx_reader_stat(f->reader, &stat, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "only a Linux tells that");
    assert_done(memctx_reader_processes(f->reader, &list, &f->err), &f->err);
    const struct memctx_process_info *process = memctx_process_list_at(list, 0);
    assert_int_equal(process->pid, 4);
    assert_string_equal(process->name, "System");
    assert_true(process->ppid == MEMCTX_UNKNOWN);
    assert_true(process->start_ns == MEMCTX_UNKNOWN);
    assert_int_equal(process->state, '\0');
    memctx_process_list_free(list);
}

/* Nothing is returned of two kernels at once. */
static void
another_kernel_runs_there(void **state)
{
    struct fixture *f = *state;
    struct memctx_symbols *symbols;
    struct memctx_process_list *processes;
    struct memctx_module_list *modules;
    struct memctx_stat *stat;
    fakeagent_set_epoch(&f->fake, 8);
    assert_int_equal(memctx_reader_symbols(f->reader, &symbols, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_STALE);
    assert_int_equal(memctx_reader_processes(f->reader, &processes, &f->err),
                     -1);
    assert_int_equal(f->err.kind, MEMCTX_STALE);
    assert_int_equal(memctx_reader_modules(f->reader, &modules, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_STALE);
    assert_int_equal(memctx_reader_stat(f->reader, &stat, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_STALE);
}

int
main(void)
{
#define T(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_log_as_it_stands_and_as_it_grows, setup),
        T(a_log_ends_with_its_kernel, setup),
        T(all_symbols, setup),
        T(all_processes, setup),
        T(all_modules, setup),
        T(all_figures, setup),
        T(a_kernel_that_tells_little, setup_dumb),
        T(lists_that_broke_off, setup),
        T(what_windows_tells, setup_windows),
        T(another_kernel_runs_there, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

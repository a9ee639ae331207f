/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols that are kept: found again for the same domain and the same kernel
 * only, and in a file that nobody else can have written. */
#include "unit.h"

#include <sys/stat.h>

#include "memctx/symbolcache.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define OTHER "6ba7b811-9dad-11d1-80b4-00c04fd430c8"

#define LINE "ffffffff81000000 T start\n"

struct fixture {
    char dir[64];
    char path[160]; /* of what is kept */
    struct subject subject;
    struct symbolcache cache;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/memctx-cache.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    setenv("XDG_CACHE_HOME", f->dir, 1);
    snprintf(f->path, sizeof(f->path), "%s/memctxd/" UUID ".symbols", f->dir);
    f->subject = (struct subject)SUBJECT_INIT;
    f->subject.facts.uuid = UUID;
    strcpy(f->subject.datum.kernel.identity, "0123456789abcdef");
    f->subject.datum.kernel.base_gva = UINT64_C(0xffffffff81000000);
    f->cache = (struct symbolcache)SYMBOLCACHE_INIT;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    symbolcache_deinit(&f->cache);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    test_free(f);
    return 0;
}

static void
open_anew(struct fixture *f)
{
    symbolcache_deinit(&f->cache);
    symbolcache_open(&f->subject, &f->cache);
}

static void
store(struct fixture *f, bool keep)
{
    open_anew(f);
    assert_true(symbolcache_begin(&f->cache));
    assert_int_equal(symbolcache_store(&f->cache, LINE, strlen(LINE), NULL), 0);
    if (keep)
        symbolcache_keep(&f->cache);
    symbolcache_deinit(&f->cache);
}

static unsigned
files_in(const struct fixture *f)
{
    char path[128];
    unsigned n = 0;
    snprintf(path, sizeof(path), "%s/memctxd", f->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void
what_is_kept_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    store(f, true);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(files_in(f), 1);
    open_anew(f);
    assert_non_null(f->cache.text);
    assert_int_equal(f->cache.len_bytes, strlen(LINE));
    assert_memory_equal(f->cache.text, LINE, strlen(LINE));
}

static void
what_is_not_kept_is_gone(void **state)
{
    struct fixture *f = *state;
    store(f, false);
    assert_int_equal(files_in(f), 0);
    store(f, true);
    store(f, false);
    assert_int_equal(files_in(f), 1);
    open_anew(f);
    assert_non_null(f->cache.text);
}

static void
another_kernel_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct memctx_kernel *kernel = &f->subject.datum.kernel;
    store(f, true);
    kernel->base_gva += 0x200000;
    open_anew(f);
    assert_null(f->cache.text);
    kernel->base_gva -= 0x200000;
    kernel->identity[3] = 'f';
    open_anew(f);
    assert_null(f->cache.text);
    /* Nor the same one in another domain: it could be a lie. */
    kernel->identity[3] = '3';
    f->subject.facts.uuid = OTHER;
    open_anew(f);
    assert_null(f->cache.text);
    f->subject.facts.uuid = UUID;
    open_anew(f);
    assert_non_null(f->cache.text);
}

static void
a_file_of_others_is_left_alone(void **state)
{
    struct fixture *f = *state;
    char other[200];
    store(f, true);
    assert_int_equal(chmod(f->path, 0620), 0);
    open_anew(f);
    assert_null(f->cache.text);
    assert_int_equal(chmod(f->path, 0600), 0);
    snprintf(other, sizeof(other), "%s/elsewhere", f->dir);
    assert_int_equal(rename(f->path, other), 0);
    assert_int_equal(symlink(other, f->path), 0);
    open_anew(f);
    assert_null(f->cache.text);
    unlink(f->path);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    open_anew(f);
    assert_null(f->cache.text);
    unlink(f->path);
    assert_int_equal(truncate(other, 100), 0);
    assert_int_equal(rename(other, f->path), 0);
    open_anew(f);
    assert_null(f->cache.text);
}

static void
nothing_is_kept_without_a_name(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {NULL, "", "../../../etc/passwd",
                                        "6ba7b810-9dad-11d1-80b4-00c04fd430c8x",
                                        "6BA7B810/9dad-11d1-80b4-00c04fd430c8"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(wrong); i++) {
        f->subject.facts.uuid = wrong[i];
        open_anew(f);
        assert_null(f->cache.path);
        assert_false(symbolcache_begin(&f->cache));
    }
    f->subject.facts.uuid = UUID;
    f->subject.datum.kernel.identity[0] = '\0';
    open_anew(f);
    assert_null(f->cache.path);
    strcpy(f->subject.datum.kernel.identity, "0123456789abcdef");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "", 1);
    open_anew(f);
    assert_null(f->cache.path);
    setenv("HOME", f->dir, 1);
    open_anew(f);
    assert_non_null(strstr(f->cache.path, "/.cache/memctxd/" UUID));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_kept_is_found_again),    T(what_is_not_kept_is_gone),
        T(another_kernel_is_not_found),    T(a_file_of_others_is_left_alone),
        T(nothing_is_kept_without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

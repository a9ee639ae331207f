/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* ELF cores as files: what is in them, holes, and what is left behind when one
 * cannot be finished. The subject is faked at link time: RAM that a test
 * built. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/corefile.h"
#include "guestimg.h"

#define SIZE (64 * MEMCTX_MIB)
#define LOW (48 * MEMCTX_MIB)
#define HIGH (4 * MEMCTX_GIB)

/* What the faked subject answers. */
struct scene {
    struct guestimg img;
    struct memctx_rammap *map;
    struct subject subject;
    struct memctx_elfcore *core;
    char dir[32];
    char path[48];
};

static struct memctx_rammap *the_map;
static enum memctx_error_kind check_kind;
static unsigned checks_that_fail;
static uint64_t read_fails_at;

int
subject_read(const struct subject *subject, uint64_t gpa, void *buf, size_t len,
             struct memctx_error *err)
{
    (void)subject;
    if (read_fails_at != 0 && memctx_range_in(read_fails_at, 1, gpa, len))
        return memctx_error_set(err, MEMCTX_GONE, "no RAM any more");
    return memctx_rammap_read(the_map, gpa, buf, len, err);
}

int
subject_next_data(const struct subject *subject, uint64_t gpa, uint64_t limit,
                  uint64_t *start, uint64_t *end, struct memctx_error *err)
{
    (void)subject;
    (void)err;
    return memctx_rammap_next_data(the_map, gpa, limit, start, end);
}

const struct memctx_rammap *
subject_map(const struct subject *subject)
{
    (void)subject;
    return the_map;
}

int
subject_begin(const struct subject *subject, struct memctx_error *err)
{
    (void)subject;
    (void)err;
    return 0;
}

int
subject_end(const struct subject *subject, int result,
            const struct memctx_error *why, struct memctx_error *err)
{
    (void)subject;
    (void)why;
    (void)err;
    return result;
}

int
subject_check(const struct subject *subject, struct memctx_error *err)
{
    (void)subject;
    if (checks_that_fail == 0)
        return 0;
    checks_that_fail--;
    return memctx_error_set(err, check_kind, "another kernel");
}

/* As memctx core does. */
static int
write_core(struct scene *s, const char *path, struct memctx_error *err)
{
    struct corefile file;
    if (corefile_begin(path, &file, err) < 0)
        return -1;
    int failed = corefile_fill(&file, s->core, &s->subject, err);
    assert_done(corefile_end(&file, failed == 0, NULL), err);
    return failed;
}

static int
set_up(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    guestimg_init(&s->img, SIZE, LOW);
    guestimg_write(&s->img, 0x1000, "low", 3);
    guestimg_write(&s->img, MEMCTX_MIB - 2, "edge", 4);
    guestimg_touch(&s->img, 2 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    guestimg_write(&s->img, LOW - 3, "end", 3);
    /* Zeros that were written are data of the guest, and no hole. */
    static const unsigned char zeros[4 * 1024 * 1024];
    guestimg_write(&s->img, 16 * MEMCTX_MIB, zeros, sizeof(zeros));
    guestimg_write(&s->img, 17 * MEMCTX_MIB + 5, "amid", 4);
    guestimg_write(&s->img, HIGH, "high", 4);
    guestimg_write(&s->img, HIGH + SIZE - LOW - 4, "last", 4);
    s->map = guestimg_rammap(&s->img, NULL);
    s->subject.datum.kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    s->subject.facts.extents =
        memctx_rammap_extents(s->map, &s->subject.facts.n_extents);
    the_map = s->map;
    assert_done(corefile_create(&s->subject, &s->core, &err), &err);
    strcpy(s->dir, "/tmp/memctx-core.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/core", s->dir);
    checks_that_fail = 0;
    read_fails_at = 0;
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;
    unlink(s->path);
    assert_int_equal(rmdir(s->dir), 0); /* nothing else was left */
    memctx_elfcore_destroy(s->core);
    memctx_rammap_destroy(s->map);
    guestimg_deinit(&s->img);
    free(s);
    return 0;
}

static struct stat
stat_of(const struct scene *s)
{
    struct stat ret;
    assert_int_equal(stat(s->path, &ret), 0);
    return ret;
}

static void
a_file_has_all_bytes_and_keeps_holes(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    umask(0);
    assert_done(write_core(s, s->path, &err), &err);
    struct stat st = stat_of(s);
    assert_int_equal(st.st_size, memctx_elfcore_size(s->core));
    assert_int_equal(st.st_mode & 0777, 0600);
    /* 8 MiB of data, few pages elsewhere, and the header. */
    assert_true(st.st_blocks * 512 <= (off_t)(8 * MEMCTX_MIB + 64 * 1024));
    assert_true(st.st_blocks * 512 >= (off_t)(8 * MEMCTX_MIB));
}

/* Python reads it by what the ELF specification says. */
static void
another_reads_it_where_the_headers_say(void **state)
{
    static const char program[] =
        "import struct,sys\n"
        "f=open(sys.argv[1],'rb')\n"
        "h=f.read(64)\n"
        "off,num=struct.unpack_from('<Q',h,32)[0],struct.unpack_from('<H',h,"
        "56)[0]\n"
        "f.seek(off)\n"
        "ph=[struct.unpack('<IIQQQQQQ',f.read(56)) for _ in range(num)]\n"
        "def at(gpa,n):\n"
        "  r=b''\n"
        "  while n:\n"
        "    t,_,o,v,p,fs,ms,_=next(x for x in ph if x[0]==1 and "
        "x[4]<=gpa<x[4]+x[5])\n"
        "    k=min(n,p+fs-gpa)\n"
        "    f.seek(o+gpa-p); r+=f.read(k); gpa+=k; n-=k\n"
        "  return r\n"
        "assert at(0x1000,4)==b'low\\0'\n"
        "assert at((1<<20)-2,4)==b'edge'\n"
        "assert at((48<<20)-3,3)==b'end'\n"
        "assert at(1<<32,5)==b'high\\0'\n"
        "assert at((1<<32)+(16<<20)-4,4)==b'last'\n"
        "assert at(20<<20,4096)==bytes(4096)\n"
        "assert at((17<<20)+4,6)==b'\\0amid\\0'\n"
        "assert max(x[2]+x[5] for x in ph)==f.seek(0,2)\n";
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char command[sizeof(program) + 128];
    assert_done(write_core(s, s->path, &err), &err);
    snprintf(command, sizeof(command), "python3 - %s <<'END'\n%sEND\n", s->path,
             program);
    assert_int_equal(system(command), 0);
}

/* A mount reads in parts of any size: across the header, pieces, and the
 * end. */
static void
any_part_reads_as_the_file_does(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    static unsigned char got[300000];
    static unsigned char wanted[300000];
    assert_done(write_core(s, s->path, &err), &err);
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open(s->path, O_RDONLY);
    size_t n;
    size_t header_len;
    memctx_elfcore_header(s->core, &header_len);
    const struct memctx_elfcore_piece *pieces =
        memctx_elfcore_pieces(s->core, &n);
    uint64_t size = memctx_elfcore_size(s->core);
    uint64_t starts[] = {0,
                         1,
                         header_len - 1,
                         pieces[1].offset - 5,
                         pieces[2].offset - 150000,
                         size - 4,
                         size,
                         size + 1};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(starts); i++) {
        ssize_t len = corefile_read(s->core, &s->subject, starts[i], got,
                                    sizeof(got), &err);
        assert_int_equal(len,
                         pread(fd, wanted, sizeof(wanted), (off_t)starts[i]));
        assert_memory_equal(got, wanted, len);
    }
    read_fails_at = MEMCTX_MIB;
    assert_int_equal(corefile_read(s->core, &s->subject, pieces[1].offset - 5,
                                   got, sizeof(got), &err),
                     -1);
    assert_error(&err, MEMCTX_GONE, "no RAM");
}

/* What was there stays, and nothing else does (tear_down looks). */
static void
assert_fails(struct scene *s, enum memctx_error_kind kind, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    FILE *old = fopen(s->path, "w");
    fputs("old", old);
    fclose(old);
    assert_int_equal(write_core(s, s->path, &err), -1);
    assert_error(&err, kind, words);
    assert_int_equal(stat_of(s).st_size, 3);
}

static void
another_kernel_leaves_nothing(void **state)
{
    check_kind = MEMCTX_STALE;
    checks_that_fail = 1;
    assert_fails(*state, MEMCTX_STALE, "another kernel");
}

static void
ram_that_goes_leaves_nothing(void **state)
{
    read_fails_at = 4 * MEMCTX_MIB;
    assert_fails(*state, MEMCTX_GONE, "no RAM");
}

/* As after a signal. */
static void
a_core_that_is_given_up_leaves_nothing(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct corefile file;
    struct stat st;
    assert_done(corefile_begin(s->path, &file, &err), &err);
    assert_done(corefile_end(&file, false, &err), &err);
    assert_int_equal(lstat(s->path, &st), -1);
}

static void
a_doubt_that_ends_does_no_harm(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    check_kind = MEMCTX_RETRY;
    checks_that_fail = 2;
    assert_done(write_core(s, s->path, &err), &err);
    assert_int_equal(checks_that_fail, 0);
}

/* As root that would be the end of /dev/null. */
static void
only_a_file_is_replaced(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct stat st;
    assert_int_equal(mkfifo(s->path, 0600), 0);
    assert_int_equal(write_core(s, s->path, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "no regular file");
    assert_int_equal(lstat(s->path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    unlink(s->path);
    assert_int_equal(symlink("/proc/self/fd/1", s->path), 0);
    assert_int_equal(write_core(s, s->path, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "no regular file");
    assert_int_equal(lstat(s->path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(write_core(s, s->dir, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "no regular file");
}

static void
a_directory_that_is_not_there_is_named(void **state)
{
    struct scene *s = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(write_core(s, "/nowhere/core", &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "/nowhere/core");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_all_bytes_and_keeps_holes),
        TEST(another_reads_it_where_the_headers_say),
        TEST(any_part_reads_as_the_file_does),
        TEST(another_kernel_leaves_nothing),
        TEST(ram_that_goes_leaves_nothing),
        TEST(a_core_that_is_given_up_leaves_nothing),
        TEST(a_doubt_that_ends_does_no_harm),
        TEST(only_a_file_is_replaced),
        TEST(a_directory_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

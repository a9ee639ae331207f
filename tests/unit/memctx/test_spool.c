/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What comes by a pipe, whole and in pieces. */
#include "unit.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "memctx/spool.h"

#define HEAD "makedumpfile\0\0\0\0"
#define HEAD_BYTES 16

/* A pipe with what was written to it; up to 64 KiB. */
struct source {
    int read_fd;
    int write_fd;
};

static struct source
open_source(void)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    return (struct source){fds[0], fds[1]};
}

static void
feed(const struct source *source, const void *bytes, size_t len_bytes)
{
    assert_int_equal(write(source->write_fd, bytes, len_bytes), len_bytes);
}

static void
feed_piece(const struct source *source, uint64_t offset, uint64_t size)
{
    const uint64_t place[] = {htobe64(offset), htobe64(size)};
    feed(source, place, sizeof(place));
}

static const unsigned char *head = (const unsigned char *)HEAD;

/* The rest of the header, of which the head has been read. */
static void
feed_header(const struct source *source)
{
    const unsigned char rest[4096 - HEAD_BYTES] = {0};
    feed(source, rest, sizeof(rest));
}

static int
unflatten(const struct source *source, int *ret, struct memctx_error *err)
{
    close(source->write_fd);
    int failed = spool_unflatten(source->read_fd, head, HEAD_BYTES, ret, err);
    close(source->read_fd);
    return failed;
}

static void
test_copies_a_pipe(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct source source = open_source();
    unsigned char page[4096] = {1};
    unsigned char zeros[8192] = {0};
    char text[8];
    struct stat st;
    int copy;
    feed(&source, page, sizeof(page));
    feed(&source, zeros, sizeof(zeros));
    close(source.write_fd);
    assert_done(spool_copy(source.read_fd, (const unsigned char *)"head", 4,
                           &copy, &err),
                &err);
    close(source.read_fd);
    assert_int_equal(fstat(copy, &st), 0);
    assert_int_equal(st.st_size, 4 + 3 * 4096);
    assert_true(st.st_blocks * 512 <= 2 * 4096);
    assert_int_equal(pread(copy, text, 5, 0), 5);
    assert_memory_equal(text, "head\1", 5);
    assert_int_equal(fcntl(copy, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(copy);
}

static void
test_puts_pieces_to_their_places(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct source source = open_source();
    char text[10];
    struct stat st;
    int copy;
    feed_header(&source);
    feed_piece(&source, 6, 4);
    feed(&source, "last", 4);
    feed_piece(&source, 0, 5);
    feed(&source, "first", 5);
    feed_piece(&source, UINT64_MAX, UINT64_MAX);
    assert_done(unflatten(&source, &copy, &err), &err);
    assert_int_equal(fstat(copy, &st), 0);
    assert_int_equal(st.st_size, 10);
    assert_int_equal(pread(copy, text, 10, 0), 10);
    assert_memory_equal(text, "first\0last", 10);
    close(copy);
}

static void
test_refuses_broken_pieces(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, size;
        const char *words;
    } cases[] = {
        {0, 100, "ends within a piece of 100 bytes"},
        {0, 0, "a piece of 0 bytes"},
        {UINT64_MAX - 1, 1, "for offset 0xfffffffffffffffe"},
        {UINT64_C(1) << 51, (UINT64_C(1) << 51) + 1, "for offset 0x8"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        const struct source source = open_source();
        int copy;
        feed_header(&source);
        feed_piece(&source, cases[i].offset, cases[i].size);
        feed(&source, "bytes", 5);
        assert_int_equal(unflatten(&source, &copy, &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, cases[i].words);
    }
}

static void
test_wants_the_end_mark(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct source source = open_source();
    int copy;
    feed_header(&source);
    feed_piece(&source, 0, 5);
    feed(&source, "bytes", 5);
    assert_int_equal(unflatten(&source, &copy, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "without its end mark");
}

/* Whoever sets TMPDIR to what is none learns of it. */
static void
test_names_the_directory(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct source source = open_source();
    unsigned before = count_fds();
    int copy;
    close(source.write_fd);
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    assert_int_equal(spool_copy(source.read_fd, head, 0, &copy, &err), -1);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_error(&err, MEMCTX_PERMANENT, "/nowhere (TMPDIR)");
    assert_int_equal(count_fds(), before - 1);
    close(source.read_fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_a_pipe),
        cmocka_unit_test(test_puts_pieces_to_their_places),
        cmocka_unit_test(test_refuses_broken_pieces),
        cmocka_unit_test(test_wants_the_end_mark),
        cmocka_unit_test(test_names_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

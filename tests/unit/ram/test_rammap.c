/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The one door to guest bytes: what it translates, refuses and survives. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guestimg.h"

#define PAGE MEMCTX_PAGE_SIZE

/* A map of 1 MiB in one backend "a", and of nothing yet. */
struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_error err;
};

static int
setup(void **state)
{
    static const struct memctx_error no_error = MEMCTX_ERROR_INIT;
    struct fixture *f = test_calloc(1, sizeof(*f));
    unsigned index;
    f->err = no_error;
    guestimg_init(&f->img, MEMCTX_MIB, MEMCTX_MIB);
    assert_done(memctx_rammap_create(&f->map, &f->err), &f->err);
    assert_done(memctx_rammap_add_backend(f->map, "a", guestimg_open(&f->img),
                                          NULL, &index, &f->err),
                &f->err);
    assert_int_equal(index, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static int
add(struct fixture *f, uint64_t gpa, uint64_t size, uint64_t offset)
{
    struct memctx_extent extent = {gpa, size, offset, 0};
    return memctx_rammap_add_extent(f->map, &extent, &f->err);
}

static void
refuse_backend(struct fixture *f, int fd, const char *words)
{
    unsigned index = 77;
    int result =
        memctx_rammap_add_backend(f->map, "b", fd, NULL, &index, &f->err);
    assert_int_equal(result, -1);
    assert_error(&f->err, MEMCTX_PERMANENT, words);
    assert_int_equal(index, 77);
    /* The map owned it, and closed it. */
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_writable_descriptor_is_refused(void **state)
{
    struct fixture *f = *state;
    refuse_backend(f, dup(f->img.fd), "not opened read-only");
}

static void
test_write_only_descriptor_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->img.fd);
    refuse_backend(f, open(path, O_WRONLY), "not opened read-only");
}

/* O_PATH shows as O_RDONLY in F_GETFL, but no byte can be read through it. */
static void
test_path_descriptor_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->img.fd);
    refuse_backend(f, open(path, O_PATH), "read");
}

static void
test_directory_is_refused(void **state)
{
    refuse_backend(*state, open("/", O_RDONLY | O_DIRECTORY), "a directory");
}

static void
test_pipe_is_refused(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    refuse_backend(*state, ends[0], "something else");
    close(ends[1]);
}

static void
test_empty_backing_is_refused(void **state)
{
    struct guestimg empty;
    guestimg_init(&empty, 0, 0);
    refuse_backend(*state, guestimg_open(&empty), "empty");
    guestimg_deinit(&empty);
}

static void
test_closed_descriptor_is_refused(void **state)
{
    refuse_backend(*state, -1, "cannot look at");
}

static void
test_too_many_backends_are_refused(void **state)
{
    struct fixture *f = *state;
    unsigned index;
    for (unsigned i = 1; i < MEMCTX_BACKENDS_MAX; i++) {
        int fd = guestimg_open(&f->img);
        assert_done(
            memctx_rammap_add_backend(f->map, "b", fd, NULL, &index, &f->err),
            &f->err);
        assert_int_equal(index, i);
    }
    int fd = guestimg_open(&f->img);
    assert_int_equal(
        memctx_rammap_add_backend(f->map, "b", fd, NULL, &index, &f->err), -1);
    assert_error(&f->err, MEMCTX_BUG, "more than");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_destroy_closes_descriptors(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map;
    unsigned index;
    int fd = guestimg_open(&f->img);
    assert_done(memctx_rammap_create(&map, &f->err), &f->err);
    assert_done(memctx_rammap_add_backend(map, "b", fd, NULL, &index, &f->err),
                &f->err);
    memctx_rammap_destroy(map);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    memctx_rammap_destroy(NULL);
}

#define NUMBERS "0123456789012345678901234567890123456789"

static void
test_long_backend_name_is_cut(void **state)
{
    struct fixture *f = *state;
    unsigned index;
    assert_done(memctx_rammap_add_backend(f->map, NUMBERS NUMBERS,
                                          guestimg_open(&f->img), NULL, &index,
                                          &f->err),
                &f->err);
    assert_string_equal(memctx_rammap_backend_name(f->map, index),
                        NUMBERS "01234567890123456789012");
    assert_string_equal(memctx_rammap_backend_name(f->map, 99), "");
    assert_int_equal(memctx_rammap_backend_size(f->map, index), MEMCTX_MIB);
    assert_int_equal(memctx_rammap_backend_size(f->map, 99), 0);
}

static void
refuse_extent(struct fixture *f, uint64_t gpa, uint64_t size, uint64_t offset,
              const char *words)
{
    size_t before;
    size_t after;
    memctx_rammap_extents(f->map, &before);
    assert_int_equal(add(f, gpa, size, offset), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, words);
    memctx_rammap_extents(f->map, &after);
    assert_int_equal(after, before);
}

static void
test_bad_extents_are_refused(void **state)
{
    struct fixture *f = *state;
    refuse_extent(f, 0, 0, 0, "empty");
    refuse_extent(f, UINT64_MAX - PAGE + 1, PAGE, 0, "beyond 2^64");
    refuse_extent(f, UINT64_MAX, PAGE, 0, "beyond 2^64");
    refuse_extent(f, 0, MEMCTX_MIB + 1, 0, "its backing has");
    refuse_extent(f, 0, PAGE, MEMCTX_MIB, "its backing has");
    refuse_extent(f, 0, PAGE, UINT64_MAX, "its backing has");
    struct memctx_extent nobody = {0, PAGE, 0, 1};
    assert_int_equal(memctx_rammap_add_extent(f->map, &nobody, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "its backing has 0 bytes");
}

static void
test_overlapping_extents_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_done(add(f, 4 * PAGE, 4 * PAGE, 0), &f->err);
    refuse_extent(f, 4 * PAGE, 4 * PAGE, 0, "overlap at gpa 0x4000");
    refuse_extent(f, 0, 4 * PAGE + 1, 0, "overlap at gpa 0x4000");
    refuse_extent(f, 7 * PAGE, PAGE, 0, "overlap at gpa 0x7000");
    refuse_extent(f, 0, 16 * PAGE, 0, "overlap");
    assert_done(add(f, 0, 4 * PAGE, 0), &f->err);
    assert_done(add(f, 8 * PAGE, PAGE, 0), &f->err);
}

static void
test_too_many_extents_are_refused(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < MEMCTX_EXTENTS_MAX; i++)
        assert_done(add(f, 2 * i * PAGE, PAGE, 0), &f->err);
    refuse_extent(f, 1, 1, 0, "more than");
}

static void
test_extents_are_sorted(void **state)
{
    struct fixture *f = *state;
    size_t n;
    assert_done(add(f, 8 * PAGE, PAGE, 0), &f->err);
    assert_done(add(f, 0, PAGE, 0), &f->err);
    assert_done(add(f, 4 * PAGE, PAGE, 0), &f->err);
    const struct memctx_extent *e = memctx_rammap_extents(f->map, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(e[i].gpa, 4 * i * PAGE);
    assert_int_equal(memctx_rammap_size(f->map), 3 * PAGE);
    assert_int_equal(memctx_rammap_end(f->map), 9 * PAGE);
}

static void
test_empty_map_holds_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t start;
    uint64_t end;
    char byte;
    assert_int_equal(memctx_rammap_size(f->map), 0);
    assert_int_equal(memctx_rammap_end(f->map), 0);
    assert_int_equal(memctx_rammap_contains(f->map, 0, 1), 0);
    assert_int_equal(
        memctx_rammap_next_data(f->map, 0, UINT64_MAX, &start, &end), 0);
    assert_int_equal(memctx_rammap_read(f->map, 0, &byte, 1, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "gpa 0 is not RAM");
}

static void
test_read_crosses_adjoining_extents(void **state)
{
    struct fixture *f = *state;
    char text[11] = "";
    assert_done(add(f, 0, PAGE, 8 * PAGE), &f->err);
    assert_done(add(f, PAGE, PAGE, 0), &f->err);
    guestimg_write(&f->img, 9 * PAGE - 5, "hello", 5);
    guestimg_write(&f->img, 0, "world", 5);
    assert_done(memctx_rammap_read(f->map, PAGE - 5, text, 10, &f->err),
                &f->err);
    assert_string_equal(text, "helloworld");
    assert_int_equal(memctx_rammap_contains(f->map, 0, 2 * PAGE), 1);
}

static void
test_read_over_a_gap_fails(void **state)
{
    struct fixture *f = *state;
    char bytes[2];
    assert_done(add(f, 0, PAGE, 0), &f->err);
    assert_done(add(f, 2 * PAGE, PAGE, 0), &f->err);
    assert_int_equal(memctx_rammap_read(f->map, PAGE - 1, bytes, 2, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "gpa 0x1000 is not RAM");
    assert_int_equal(memctx_rammap_contains(f->map, PAGE - 1, 2), 0);
    assert_int_equal(memctx_rammap_contains(f->map, PAGE - 1, 1), 1);
    assert_int_equal(memctx_rammap_contains(f->map, 0, 3 * PAGE), 0);
}

static void
test_read_beyond_the_end_fails(void **state)
{
    struct fixture *f = *state;
    char bytes[2];
    assert_done(add(f, 0, PAGE, 0), &f->err);
    assert_int_equal(memctx_rammap_read(f->map, PAGE - 1, bytes, 2, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "gpa 0x1000 is not RAM");
    assert_int_equal(memctx_rammap_read(f->map, UINT64_MAX, bytes, 2, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not RAM");
    assert_int_equal(memctx_rammap_contains(f->map, UINT64_MAX, 2), 0);
}

static void
test_empty_read_reads_nothing(void **state)
{
    struct fixture *f = *state;
    assert_done(memctx_rammap_read(f->map, 12345, NULL, 0, &f->err), &f->err);
    assert_int_equal(memctx_rammap_contains(f->map, 12345, 0), 1);
}

/* Nothing that reads may allocate guest memory. */
static void
test_hole_reads_as_zeros_and_stays(void **state)
{
    struct fixture *f = *state;
    unsigned char page[PAGE];
    memset(page, 0xff, sizeof(page));
    assert_done(add(f, 0, MEMCTX_MIB, 0), &f->err);
    assert_done(memctx_rammap_read(f->map, 3 * PAGE, page, PAGE, &f->err),
                &f->err);
    for (size_t i = 0; i < PAGE; i++)
        assert_int_equal(page[i], 0);
    assert_int_equal(guestimg_blocks(&f->img), 0);
}

static void
test_truncated_backing_is_gone(void **state)
{
    struct fixture *f = *state;
    unsigned char page[PAGE];
    assert_done(add(f, 0, MEMCTX_MIB, 0), &f->err);
    guestimg_truncate(&f->img, 3 * PAGE / 2);
    assert_done(memctx_rammap_read(f->map, 0, page, PAGE, &f->err), &f->err);
    assert_int_equal(memctx_rammap_read(f->map, PAGE, page, PAGE, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "gpa 0x1000: a was truncated");
    assert_error(&f->err, MEMCTX_GONE, "offset 0x1801");
}

/* Reads that come in drips, after an interruption each. */
static ssize_t
drip(const struct memctx_source *source, void *buf, size_t len_bytes,
     uint64_t offset)
{
    if (offset % 2 == 0 && len_bytes % 2 == 0 && errno != EINTR) {
        errno = EINTR;
        return -1;
    }
    errno = 0;
    return pread(source->fd, buf, memctx_min(len_bytes, 3), (off_t)offset);
}

static ssize_t
fail_read(const struct memctx_source *source, void *buf, size_t len_bytes,
          uint64_t offset)
{
    (void)source;
    (void)buf;
    (void)len_bytes;
    (void)offset;
    errno = EIO;
    return -1;
}

static int
fail_next_data(const struct memctx_source *source, uint64_t offset,
               uint64_t limit, uint64_t *start, uint64_t *end)
{
    (void)source;
    (void)offset;
    (void)limit;
    (void)start;
    (void)end;
    errno = EINVAL;
    return -1;
}

static const struct memctx_backend_io dripping = {drip, fail_next_data};
static const struct memctx_backend_io broken = {fail_read, fail_next_data};

static void
test_short_and_interrupted_reads_are_continued(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map = guestimg_rammap(&f->img, &dripping);
    char text[27] = "";
    guestimg_write(&f->img, PAGE, "abcdefghijklmnopqrstuvwxyz", 26);
    errno = 0;
    assert_done(memctx_rammap_read(map, PAGE, text, 26, &f->err), &f->err);
    assert_string_equal(text, "abcdefghijklmnopqrstuvwxyz");
    memctx_rammap_destroy(map);
}

static void
test_read_error_is_told(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map = guestimg_rammap(&f->img, &broken);
    char byte;
    assert_int_equal(memctx_rammap_read(map, 0x123, &byte, 1, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "reading ram at offset 0x123 failed");
    memctx_rammap_destroy(map);
}

static void
test_backing_that_cannot_tell_holes_is_all_data(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map = guestimg_rammap(&f->img, &dripping);
    uint64_t start;
    uint64_t end;
    assert_int_equal(memctx_rammap_next_data(map, PAGE, 5 * PAGE, &start, &end),
                     1);
    assert_int_equal(start, PAGE);
    assert_int_equal(end, 5 * PAGE);
    memctx_rammap_destroy(map);
}

static void
assert_next_data(struct fixture *f, uint64_t from, uint64_t limit,
                 uint64_t start, uint64_t end)
{
    uint64_t found_start;
    uint64_t found_end;
    assert_int_equal(
        memctx_rammap_next_data(f->map, from, limit, &found_start, &found_end),
        1);
    assert_int_equal(found_start, start);
    assert_int_equal(found_end, end);
}

/* What SEEK_HOLE costs grows with the run; nobody here wants all of it. */
static void
test_long_runs_come_in_pieces(void **state)
{
    struct guestimg img;
    uint64_t gpa = 0;
    uint64_t start;
    uint64_t end;
    unsigned pieces = 0;
    (void)state;
    guestimg_init(&img, 4 * MEMCTX_MIB, 4 * MEMCTX_MIB);
    guestimg_touch(&img, 0, 3 * MEMCTX_MIB);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    while (memctx_rammap_next_data(map, gpa, UINT64_MAX, &start, &end) == 1) {
        assert_int_equal(start, gpa);
        assert_true(end > start && end - start <= MEMCTX_MIB);
        gpa = end;
        pieces++;
    }
    assert_int_equal(gpa, 3 * MEMCTX_MIB);
    assert_int_equal(pieces, 3);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
}

static void
test_next_data_skips_holes(void **state)
{
    struct fixture *f = *state;
    uint64_t start;
    uint64_t end;
    assert_done(add(f, 16 * PAGE, 8 * PAGE, 0), &f->err);
    assert_done(add(f, 64 * PAGE, 8 * PAGE, 8 * PAGE), &f->err);
    guestimg_touch(&f->img, 2 * PAGE, 2 * PAGE);
    guestimg_touch(&f->img, 7 * PAGE, 2 * PAGE); /* in both extents */
    assert_next_data(f, 0, UINT64_MAX, 18 * PAGE, 20 * PAGE);
    assert_next_data(f, 19 * PAGE, UINT64_MAX, 19 * PAGE, 20 * PAGE);
    assert_next_data(f, 20 * PAGE, UINT64_MAX, 23 * PAGE, 24 * PAGE);
    assert_next_data(f, 24 * PAGE, UINT64_MAX, 64 * PAGE, 65 * PAGE);
    assert_next_data(f, 0, 19 * PAGE, 18 * PAGE, 19 * PAGE);
    assert_int_equal(
        memctx_rammap_next_data(f->map, 65 * PAGE, UINT64_MAX, &start, &end),
        0);
    assert_int_equal(
        memctx_rammap_next_data(f->map, 0, 18 * PAGE, &start, &end), 0);
    assert_int_equal(
        memctx_rammap_next_data(f->map, 20 * PAGE, 19 * PAGE, &start, &end), 0);
}

static void
test_next_data_of_truncated_backing_ends(void **state)
{
    struct fixture *f = *state;
    uint64_t start;
    uint64_t end;
    assert_done(add(f, 0, MEMCTX_MIB, 0), &f->err);
    guestimg_touch(&f->img, 0, 8 * PAGE);
    guestimg_truncate(&f->img, 4 * PAGE);
    assert_next_data(f, 0, UINT64_MAX, 0, 4 * PAGE);
    assert_int_equal(
        memctx_rammap_next_data(f->map, 4 * PAGE, UINT64_MAX, &start, &end), 0);
}

/* It has no extents, and lives on when the map it was made of has gone. */
static void
test_map_beside_another_shares_its_backends(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *beside;
    unsigned char byte = 42;
    size_t n;
    guestimg_write(&f->img, PAGE, &byte, 1);
    assert_done(add(f, 0, MEMCTX_MIB, 0), &f->err);
    assert_done(memctx_rammap_create_beside(f->map, &beside, &f->err), &f->err);
    memctx_rammap_extents(beside, &n);
    assert_int_equal(n, 0);
    assert_string_equal(memctx_rammap_backend_name(beside, 0), "a");
    assert_int_equal(memctx_rammap_backend_size(beside, 0), MEMCTX_MIB);
    assert_int_equal(memctx_rammap_source(beside, 0)->fd,
                     memctx_rammap_source(f->map, 0)->fd);
    memctx_rammap_destroy(f->map);
    f->map = beside;
    assert_done(add(f, MEMCTX_GIB, MEMCTX_MIB, 0), &f->err);
    byte = 0;
    assert_done(
        memctx_rammap_read(f->map, MEMCTX_GIB + PAGE, &byte, 1, &f->err),
        &f->err);
    assert_int_equal(byte, 42);
}

/* Half of the backing lies elsewhere in the other layout. */
static void
test_translate_between_layouts(void **state)
{
    struct fixture *f = *state;
    const uint64_t half = MEMCTX_MIB / 2;
    struct memctx_rammap *to;
    assert_done(memctx_rammap_create_beside(f->map, &to, &f->err), &f->err);
    const struct memctx_extent low = {0, half, 0, 0};
    const struct memctx_extent high = {MEMCTX_GIB, half - PAGE, half, 0};
    assert_done(memctx_rammap_add_extent(to, &low, &f->err), &f->err);
    assert_done(memctx_rammap_add_extent(to, &high, &f->err), &f->err);
    assert_done(add(f, 0, MEMCTX_MIB, 0), &f->err);
    assert_int_equal(memctx_rammap_translate(f->map, 42, to), 42);
    assert_int_equal(memctx_rammap_translate(f->map, half + 42, to),
                     MEMCTX_GIB + 42);
    assert_int_equal(memctx_rammap_translate(to, MEMCTX_GIB + 42, f->map),
                     half + 42);
    /* In none of them, and in one of them only. */
    assert_int_equal(memctx_rammap_translate(f->map, MEMCTX_GIB, to),
                     MEMCTX_GIB);
    assert_int_equal(memctx_rammap_translate(f->map, MEMCTX_MIB - 1, to),
                     MEMCTX_MIB - 1);
    memctx_rammap_destroy(to);
}

static void
test_shared_backends_are_complete(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *beside;
    unsigned index;
    int fd = guestimg_open(&f->img);
    assert_done(memctx_rammap_create_beside(f->map, &beside, &f->err), &f->err);
    assert_int_equal(
        memctx_rammap_add_backend(beside, "b", fd, NULL, &index, &f->err), -1);
    assert_error(&f->err, MEMCTX_BUG, "complete");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    memctx_rammap_destroy(beside);
    fd = guestimg_open(&f->img);
    assert_done(
        memctx_rammap_add_backend(f->map, "b", fd, NULL, &index, &f->err),
        &f->err);
    assert_int_equal(index, 1);
}

/* All private RAM of a process is read through one pair of descriptors. */
static void
test_backends_may_share_descriptors(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map;
    unsigned index;
    const struct memctx_source source = {.fd = guestimg_open(&f->img),
                                         .pagemap_fd = guestimg_open(&f->img),
                                         .file_fd = -1};
    assert_done(memctx_rammap_create(&map, &f->err), &f->err);
    for (unsigned i = 0; i < 3; i++)
        assert_done(memctx_rammap_add_source(map, "b", &source, PAGE, NULL,
                                             &index, &f->err),
                    &f->err);
    /* The one that is refused takes nothing with it. */
    assert_int_equal(
        memctx_rammap_add_source(map, "b", &source, 0, NULL, &index, &f->err),
        -1);
    assert_true(fcntl(source.fd, F_GETFD) >= 0);
    memctx_rammap_destroy(map);
    assert_int_equal(fcntl(source.fd, F_GETFD), -1);
    assert_int_equal(fcntl(source.pagemap_fd, F_GETFD), -1);
}

/* The descriptor lives as long as the last reference. */
static void
test_shared_map_reads_until_the_last_one_is_gone(void **state)
{
    struct fixture *f = *state;
    unsigned char byte;
    assert_int_equal(add(f, 0, MEMCTX_MIB, 0), 0);
    int fd = memctx_rammap_source(f->map, 0)->fd;
    struct memctx_rammap *other = memctx_rammap_share(f->map);
    memctx_rammap_destroy(f->map);
    f->map = NULL;
    assert_done(memctx_rammap_read(other, 0x1000, &byte, 1, &f->err), &f->err);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    memctx_rammap_destroy(other);
    assert_true(fcntl(fd, F_GETFD) < 0);
    assert_null(memctx_rammap_share(NULL));
}

static void
test_sources_are_told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memctx_rammap_backends(f->map), 1);
    assert_true(memctx_rammap_source(f->map, 0)->pagemap_fd < 0);
    assert_null(memctx_rammap_source(f->map, 1));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_writable_descriptor_is_refused),
        T(test_write_only_descriptor_is_refused),
        T(test_path_descriptor_is_refused),
        T(test_directory_is_refused),
        T(test_pipe_is_refused),
        T(test_empty_backing_is_refused),
        T(test_closed_descriptor_is_refused),
        T(test_too_many_backends_are_refused),
        T(test_destroy_closes_descriptors),
        T(test_long_backend_name_is_cut),
        T(test_bad_extents_are_refused),
        T(test_overlapping_extents_are_refused),
        T(test_too_many_extents_are_refused),
        T(test_extents_are_sorted),
        T(test_empty_map_holds_nothing),
        T(test_read_crosses_adjoining_extents),
        T(test_read_over_a_gap_fails),
        T(test_read_beyond_the_end_fails),
        T(test_empty_read_reads_nothing),
        T(test_hole_reads_as_zeros_and_stays),
        T(test_truncated_backing_is_gone),
        T(test_short_and_interrupted_reads_are_continued),
        T(test_read_error_is_told),
        T(test_backing_that_cannot_tell_holes_is_all_data),
        T(test_next_data_skips_holes),
        T(test_long_runs_come_in_pieces),
        T(test_next_data_of_truncated_backing_ends),
        T(test_map_beside_another_shares_its_backends),
        T(test_translate_between_layouts),
        T(test_shared_backends_are_complete),
        T(test_backends_may_share_descriptors),
        T(test_shared_map_reads_until_the_last_one_is_gone),
        T(test_sources_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that is handed in: what is refused, and that every descriptor is closed
 * whichever way it ends. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fusefile.h"
#include "guestimg.h"
#include "backing/handed.h"

#define PIECE (16 * MEMCTX_MIB)

struct fixture {
    struct guestimg img;
    struct handed *handed;
    unsigned fds; /* open before anything was handed in */
};

/* RAM of two pieces; the first word of each page tells its offset. */
static int
setup(void **state)
{
    static struct fixture f;
    guestimg_init(&f.img, 2 * PIECE, PIECE);
    for (uint64_t at = 0; at < 2 * PIECE; at += MEMCTX_MIB) {
        uint64_t word = at + 1;
        assert_int_equal(pwrite(f.img.fd, &word, 8, (off_t)at), 8);
    }
    f.fds = count_fds();
    f.handed = handed_create(0);
    assert_non_null(f.handed);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    handed_destroy(f->handed);
    assert_int_equal(count_fds(), f->fds);
    guestimg_deinit(&f->img);
    return 0;
}

static void
give(struct fixture *f, int fd)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_true(fd >= 0);
    assert_done(handed_add_fd(f->handed, fd, &err), &err);
}

static void
give_ram(struct fixture *f)
{
    give(f, guestimg_open(&f->img));
}

static void
extent(struct fixture *f, uint64_t gpa, uint64_t size, uint64_t offset,
       unsigned backend)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_extent e = {gpa, size, offset, backend};
    assert_done(handed_add_extent(f->handed, &e, &err), &err);
}

/* Refused with these words, by the check as by the use, and all is closed. */
static void
assert_refused(struct fixture *f, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct ram ram = {.map = NULL};
    unsigned before = count_fds();
    assert_int_equal(handed_check(f->handed, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(count_fds(), before);
    err = (struct memctx_error)MEMCTX_ERROR_INIT;
    assert_int_equal(handed_open(f->handed, &ram, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_null(ram.map);
    assert_int_equal(count_fds(), f->fds);
}

static uint64_t
word_at(const struct ram *ram, uint64_t gpa)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    uint64_t word;
    assert_done(memctx_rammap_read(ram->map, gpa, &word, 8, &err), &err);
    return word - 1;
}

static void
open_ram(struct fixture *f, struct ram *ram)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(handed_check(f->handed, &err), &err);
    assert_done(handed_open(f->handed, ram, &err), &err);
}

static void
test_one_descriptor_with_a_split(void **state)
{
    struct fixture *f = *state;
    struct ram ram;
    handed_destroy(f->handed);
    f->handed = handed_create(PIECE);
    give_ram(f);
    open_ram(f, &ram);
    assert_int_equal(ram.low, PIECE);
    assert_int_equal(word_at(&ram, 4 * MEMCTX_GIB), PIECE);
    assert_string_equal(memctx_rammap_backend_name(ram.map, 0), "ram");
    assert_int_equal(count_fds(), f->fds + 1);
    ram_deinit(&ram);
    assert_int_equal(count_fds(), f->fds);
}

static void
test_several_descriptors_with_extents(void **state)
{
    struct fixture *f = *state;
    struct ram ram;
    give_ram(f);
    give_ram(f);
    extent(f, 1024 * MEMCTX_GIB, MEMCTX_MIB, 2 * MEMCTX_MIB, 1);
    extent(f, 0, PIECE, PIECE, 0);
    open_ram(f, &ram);
    assert_int_equal(ram.low, PIECE);
    assert_int_equal(word_at(&ram, 0), PIECE);
    assert_int_equal(word_at(&ram, 1024 * MEMCTX_GIB), 2 * MEMCTX_MIB);
    assert_string_equal(memctx_rammap_backend_name(ram.map, 1), "ram1");
    ram_deinit(&ram);
}

static void
test_one_extent_is_all_low_wherever_it_is(void **state)
{
    struct fixture *f = *state;
    struct ram ram;
    give_ram(f);
    extent(f, MEMCTX_GIB, PIECE, 0, 0);
    open_ram(f, &ram);
    assert_int_equal(ram.low, PIECE);
    ram_deinit(&ram);
}

static void
test_is_used_once(void **state)
{
    struct fixture *f = *state;
    struct ram ram;
    give_ram(f);
    open_ram(f, &ram);
    ram_deinit(&ram);
    assert_refused(f, "no descriptor");
}

static void
test_writable(void **state)
{
    struct fixture *f = *state;
    give(f, fcntl(f->img.fd, F_DUPFD_CLOEXEC, 0));
    assert_refused(f, "read-only");
}

static void
test_one_writable_of_two(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    give(f, fcntl(f->img.fd, F_DUPFD_CLOEXEC, 0));
    extent(f, 0, PIECE, 0, 0);
    extent(f, PIECE, PIECE, 0, 1);
    assert_refused(f, "descriptor 1: ");
}

static void
test_path_descriptor(void **state)
{
    struct fixture *f = *state;
    give(f, open("/bin/sh", O_PATH | O_CLOEXEC));
    assert_refused(f, "read-only");
}

static void
test_directory(void **state)
{
    struct fixture *f = *state;
    give(f, open("/", O_RDONLY | O_CLOEXEC));
    assert_refused(f, "a directory");
}

static void
test_pipe(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    give(f, ends[0]);
    assert_refused(f, "file or memfd");
}

static void
test_empty_file(void **state)
{
    struct fixture *f = *state;
    guestimg_truncate(&f->img, 0);
    give_ram(f);
    assert_refused(f, "empty");
}

static void
test_file_that_is_no_multiple_of_a_page(void **state)
{
    struct fixture *f = *state;
    guestimg_truncate(&f->img, PIECE + 1);
    give_ram(f);
    assert_refused(f, "multiple");
}

static void
test_several_without_extents(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    give_ram(f);
    assert_refused(f, "without the extents");
}

static void
test_descriptor_without_an_extent(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    assert_refused(f, "no extent is of descriptor 1");
}

static void
test_extent_of_no_descriptor(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    extent(f, PIECE, PIECE, 0, 1);
    assert_refused(f, "of descriptor 1, and 1 were");
}

static void
test_extent_beyond_its_file(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, 2 * PIECE, MEMCTX_PAGE_SIZE, 0);
    assert_refused(f, "its backing has");
}

static void
test_extent_whose_offset_wraps(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    extent(f, PIECE, PIECE, UINT64_MAX - PIECE + 1, 0);
    assert_refused(f, "its backing has");
}

static void
test_empty_extent(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, 0, 0, 0);
    assert_refused(f, "empty");
}

static void
test_extent_of_odd_size(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE + 8, 0, 0);
    assert_refused(f, "whole pages");
}

static void
test_extent_at_an_odd_offset(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE, 8, 0);
    assert_refused(f, "whole pages");
}

static void
test_extent_that_no_guest_can_address(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, UINT64_C(1) << 52, PIECE, 0, 0);
    assert_refused(f, "2^52");
}

static void
test_extents_that_overlap(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    extent(f, PIECE - MEMCTX_PAGE_SIZE, PIECE, PIECE, 0);
    assert_refused(f, "overlap");
}

static void
test_extents_of_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    extent(f, PIECE, PIECE, PIECE - MEMCTX_PAGE_SIZE, 0);
    assert_refused(f, "same bytes");
}

static void
test_low_that_the_extents_contradict(void **state)
{
    struct fixture *f = *state;
    handed_destroy(f->handed);
    f->handed = handed_create(PIECE + MEMCTX_MIB);
    give_ram(f);
    extent(f, 0, PIECE, 0, 0);
    extent(f, 4 * MEMCTX_GIB, PIECE, PIECE, 0);
    assert_refused(f, "low is");
}

static void
test_too_many_descriptors(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (unsigned i = 0; i < HANDED_FDS_MAX; i++)
        give_ram(f);
    unsigned before = count_fds();
    assert_int_equal(handed_add_fd(f->handed, guestimg_open(&f->img), &err),
                     -1);
    assert_error(&err, MEMCTX_PERMANENT, "descriptors");
    assert_int_equal(count_fds(), before);
}

static void
test_too_many_extents(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_extent e = {0, 0, 0, 0};
    for (unsigned i = 0; i < MEMCTX_EXTENTS_MAX; i++)
        assert_int_equal(handed_add_extent(f->handed, &e, &err), 0);
    assert_int_equal(handed_add_extent(f->handed, &e, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "extents");
}

/* The check alone refuses it. */
static void
assert_not_taken(struct fixture *f, int fd, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    give(f, fd);
    assert_int_equal(handed_check(f->handed, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    handed_destroy(f->handed);
    f->handed = NULL;
}

static void
test_file_of_fuse(void **state)
{
    struct fixture *f = *state;
    struct fusefile fuse;
    if (geteuid() != 0 || !fusefile_start(&fuse)) {
        print_message("needs root and FUSE\n");
        skip();
    }
    assert_not_taken(f, fcntl(fuse.fd, F_DUPFD_CLOEXEC, 0),
                     "descriptor 0: a file of FUSE");
    fusefile_stop(&fuse);
}

/* A file of an overlay over two directories, open for reading; nothing of it
 * stays. -1: overlays cannot be mounted here. */
static int
open_in_overlay(void)
{
    static const char *const parts[] = {"lower", "lowest", "merged"};
    char dir[] = "/tmp/memctx-overlay-XXXXXX";
    char paths[MEMCTX_ARRAY_LEN(parts)][64];
    char options[160];
    char file[80];
    assert_non_null(mkdtemp(dir));
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(parts); i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/%s", dir, parts[i]);
        assert_int_equal(mkdir(paths[i], 0700), 0);
    }
    snprintf(file, sizeof(file), "%s/ram", paths[0]);
    int ram = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(ram, PIECE), 0);
    close(ram);
    snprintf(options, sizeof(options), "lowerdir=%s:%s", paths[0], paths[1]);
    if (mount("memctx", paths[2], "overlay", MS_RDONLY, options) == 0) {
        snprintf(options, sizeof(options), "%s/ram", paths[2]);
        ram = open(options, O_RDONLY | O_CLOEXEC);
        umount2(paths[2], MNT_DETACH);
    } else {
        ram = -1;
    }
    unlink(file);
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(parts); i++)
        rmdir(paths[i]);
    rmdir(dir);
    return ram;
}

static void
test_file_of_an_overlay(void **state)
{
    int fd = geteuid() == 0 ? open_in_overlay() : -1;
    if (fd < 0) {
        print_message("needs root and overlays\n");
        skip();
    }
    assert_not_taken(*state, fd, "descriptor 0: a file of an overlay");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_one_descriptor_with_a_split),
        T(test_several_descriptors_with_extents),
        T(test_one_extent_is_all_low_wherever_it_is),
        T(test_is_used_once),
        T(test_writable),
        T(test_one_writable_of_two),
        T(test_path_descriptor),
        T(test_directory),
        T(test_pipe),
        T(test_empty_file),
        T(test_file_that_is_no_multiple_of_a_page),
        T(test_several_without_extents),
        T(test_descriptor_without_an_extent),
        T(test_extent_of_no_descriptor),
        T(test_extent_beyond_its_file),
        T(test_extent_whose_offset_wraps),
        T(test_empty_extent),
        T(test_extent_of_odd_size),
        T(test_extent_at_an_odd_offset),
        T(test_extent_that_no_guest_can_address),
        T(test_extents_that_overlap),
        T(test_extents_of_the_same_bytes),
        T(test_low_that_the_extents_contradict),
        T(test_too_many_descriptors),
        T(test_too_many_extents),
        T(test_file_of_fuse),
        T(test_file_of_an_overlay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

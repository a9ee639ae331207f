/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writing to a guest: all bytes or none, where its page tables were found to
 * allow it, while its kernel runs; and nothing stays open for writing. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/ramwrite.h"
#include "guestimg.h"
#include "logpipe.h"
#include "paging/paging.h"

#define GVA UINT64_C(0xffff888000000000)
#define GPA UINT64_C(0x400000)
#define WRITABLE (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)
#define READ_ONLY MEMCTX_PTE_PRESENT

/* Pages at GVA: two writable ones that lie apart, a read-only one, none. */
struct fixture {
    struct guestimg img;
    struct guestimg_space space;
    struct log log;
    struct running_kernel kernel;
    struct walk_result found;
    struct ramwrite write;
    struct memctx_error err;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_non_null(f);
    guestimg_init(&f->img, 16 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    f->space = (struct guestimg_space){0x10000, 4};
    guestimg_map(&f->img, &f->space, GVA, GPA, 4096, WRITABLE);
    guestimg_map(&f->img, &f->space, GVA + 4096, GPA + 0x5000, 4096, WRITABLE);
    guestimg_map(&f->img, &f->space, GVA + 8192, GPA + 0x9000, 4096, READ_ONLY);
    f->log = (struct log){.level = LOG_LEVEL_ERROR};
    struct running_kernel *k = &f->kernel;
    k->map = guestimg_rammap(&f->img, NULL);
    assert_done(epoch_create(&k->epoch, &err), &err);
    k->epoch_number = epoch_next();
    epoch_set(k->epoch, k->epoch_number);
    k->paging = MEMCTX_PAGING_X86_64_4LEVEL;
    k->kcr3 = f->space.root_gpa;
    f->write =
        (struct ramwrite){.kernel = k, .found = &f->found, .domain = "tested"};
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    running_kernel_release(&f->kernel);
    guestimg_deinit(&f->img);
    free(f);
    return 0;
}

/* What a prober would say; its own tests are those of prober/tasks.c. */
static struct walk_result
find(const struct fixture *f, uint64_t gva, size_t len)
{
    struct walk_result found = {.why = MEMCTX_ERROR_INIT};
    for (size_t done = 0; done < len;) {
        struct memctx_probe_part *part = &found.parts[found.n_parts++];
        struct memctx_walk walk;
        assert_true(found.n_parts <= MEMCTX_PROBE_PARTS_MAX);
        assert_int_equal(memctx_paging_walk(f->kernel.map, f->kernel.paging,
                                            f->kernel.kcr3, gva + done, &walk,
                                            NULL),
                         0);
        uint64_t left = MEMCTX_PAGE_SIZE - (gva + done) % MEMCTX_PAGE_SIZE;
        part->gpa = walk.gpa;
        part->size = (uint32_t)memctx_min(len - done, left);
        part->writable = walk.writable;
        done += part->size;
    }
    return found;
}

/* Where f->found says. */
static int
write_found(struct fixture *f, uint64_t gva, size_t len, unsigned char byte)
{
    static const struct memctx_error no_error = MEMCTX_ERROR_INIT;
    f->err = no_error;
    f->write.gva = gva;
    f->write.len_bytes = len;
    memset(f->write.bytes, byte, len);
    return ramwrite(&f->write, &f->err);
}

static int
write_at(struct fixture *f, uint64_t gva, size_t len, unsigned char byte)
{
    f->found = find(f, gva, len);
    return write_found(f, gva, len, byte);
}

/* All bytes of [gpa, gpa + len) are this. */
static void
assert_bytes(const struct fixture *f, uint64_t gpa, size_t len,
             unsigned char byte)
{
    unsigned char bytes[4096];
    assert_true(len <= sizeof(bytes));
    assert_int_equal(
        pread(f->img.fd, bytes, len, (off_t)guestimg_offset(&f->img, gpa)),
        len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], byte);
}

static void
test_bytes_arrive_and_no_others_change(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_at(f, GVA + 16, CONTROL_WRITE_MAX, 0xa5), 0);
    assert_bytes(f, GPA, 16, 0);
    assert_bytes(f, GPA + 16, CONTROL_WRITE_MAX, 0xa5);
    assert_bytes(f, GPA + 16 + CONTROL_WRITE_MAX, 1000, 0);
}

static void
test_write_over_two_pages_that_lie_apart(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_at(f, GVA + 4096 - 2, 5, 0x77), 0);
    assert_bytes(f, GPA + 4094, 2, 0x77);
    assert_bytes(f, GPA + 0x5000, 3, 0x77);
    assert_bytes(f, GPA + 0x5003, 100, 0);
    assert_bytes(f, GPA + 0x1000, 100, 0); /* the physical neighbour */
}

static void
test_read_only_page_stays(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_at(f, GVA + 8192, 1, 1), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "mapped read-only");
    assert_int_equal(write_at(f, GVA + 8191, 2, 1), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "mapped read-only");
    assert_bytes(f, GPA + 0x5fff, 1, 0); /* nor the writable part before it */
    assert_bytes(f, GPA + 0x9000, 100, 0);
}

static void
test_walk_that_found_nothing_is_the_outcome(void **state)
{
    struct fixture *f = *state;
    f->found = find(f, GVA, 1);
    memctx_error_set(&f->found.why, MEMCTX_RETRY, "the prober crashed");
    assert_int_equal(write_found(f, GVA, 1, 1), -1);
    assert_error(&f->err, MEMCTX_RETRY, "the prober crashed");
    assert_bytes(f, GPA, 1, 0);
    /* It is nothing new that the tables of a dead guest lead nowhere. */
    epoch_set(f->kernel.epoch, STATEPAGE_OVER);
    assert_int_equal(write_found(f, GVA, 1, 1), -1);
    assert_error(&f->err, MEMCTX_GONE, "stopped");
}

/* Decoding an answer lets none of these through. */
static void
test_parts_that_are_not_these_bytes_take_nothing(void **state)
{
    struct fixture *f = *state;
    f->found = find(f, GVA, CONTROL_WRITE_MAX);
    f->found.parts[0].size++;
    assert_int_equal(write_found(f, GVA, CONTROL_WRITE_MAX, 1), -1);
    assert_error(&f->err, MEMCTX_BUG, "more bytes");
    f->found.parts[0].size -= 2;
    assert_int_equal(write_found(f, GVA, CONTROL_WRITE_MAX, 1), -1);
    assert_error(&f->err, MEMCTX_BUG, "fewer bytes");
    f->found = find(f, GVA + 4094, 4);
    f->found.parts[1].size = UINT32_MAX;
    assert_int_equal(write_found(f, GVA + 4094, 4, 1), -1);
    assert_error(&f->err, MEMCTX_BUG, "more bytes");
    f->found.n_parts = 0;
    assert_int_equal(write_found(f, GVA + 4094, 4, 1), -1);
    assert_error(&f->err, MEMCTX_BUG, "fewer bytes");
    assert_bytes(f, GPA, 4096, 0);
    assert_bytes(f, GPA + 0x5000, 4096, 0);
}

static void
test_page_outside_of_ram(void **state)
{
    struct fixture *f = *state;
    f->found = find(f, GVA + 4094, 4);
    f->found.parts[1].gpa = UINT64_C(0xfee00000);
    assert_int_equal(write_found(f, GVA + 4094, 4, 1), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not RAM");
    /* Its end is not, either, nor that of all addresses. */
    f->found.parts[1].gpa = 16 * MEMCTX_MIB - 1;
    assert_int_equal(write_found(f, GVA + 4094, 4, 1), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not RAM");
    f->found.parts[1].gpa = UINT64_MAX;
    assert_int_equal(write_found(f, GVA + 4094, 4, 1), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not RAM");
    assert_bytes(f, GPA + 4094, 2, 0);
}

/* What a prober says stays between its quotes. */
static void
test_one_line_of_the_log_tells_of_it(void **state)
{
    struct fixture *f = *state;
    struct logpipe pipe;
    char text[1024] = "";
    logpipe_init(&pipe);
    f->write.log = &f->log;
    f->write.uid = 7;
    f->write.pid = 8;
    f->write.program = "t";
    int written = write_at(f, GVA + 1, 2, 1);
    memctx_error_set(&f->found.why, MEMCTX_RETRY,
                     "page tables: \" outcome=\"done\" domain=other");
    int refused = write_found(f, GVA, 1, 1);
    ssize_t n = read(pipe.fds[0], text, sizeof(text) - 1);
    logpipe_deinit(&pipe);
    assert_int_equal(written, 0);
    assert_int_equal(refused, -1);
    assert_non_null(strchr(f->err.message, '"'));
    assert_true(n > 0);
    assert_string_equal(
        text,
        "memctxd: audit: write: uid=7 pid=8 program=\"t\" "
        "gva=0xffff888000000001 gpa=0x400001 bytes=2 outcome=\"done\" "
        "domain=\"tested\"\n"
        "memctxd: audit: write: uid=7 pid=8 program=\"t\" "
        "gva=0xffff888000000000 gpa=0 bytes=1 outcome=\"page tables: \\\" "
        "outcome=\\\"done\\\" domain=other\" domain=\"tested\"\n");
}

static void
test_kernel_that_does_not_run_is_not_written(void **state)
{
    struct fixture *f = *state;
    epoch_set(f->kernel.epoch, STATEPAGE_UNKNOWN);
    assert_int_equal(write_at(f, GVA, 1, 1), -1);
    assert_error(&f->err, MEMCTX_RETRY, "not known");
    epoch_set(f->kernel.epoch, f->kernel.epoch_number + 1);
    assert_int_equal(write_at(f, GVA, 1, 1), -1);
    assert_error(&f->err, MEMCTX_STALE, "runs no more");
    epoch_set(f->kernel.epoch, STATEPAGE_OVER);
    assert_int_equal(write_at(f, GVA, 1, 1), -1);
    assert_error(&f->err, MEMCTX_GONE, "stopped");
    assert_bytes(f, GPA, 1, 0);
}

/* The second page lies behind a seal: the first is put back. One backend of two
 * files, of which one takes no writes. */
static void
test_first_half_is_put_back(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *map;
    unsigned index;
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    assert_int_equal(ftruncate(sealed, 4096), 0);
    assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE), 0);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", sealed);
    assert_done(memctx_rammap_create(&map, &f->err), &f->err);
    assert_done(memctx_rammap_add_backend(map, "a", guestimg_open(&f->img),
                                          NULL, &index, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_backend(map, "b",
                                          open(path, O_RDONLY | O_CLOEXEC),
                                          NULL, &index, &f->err),
                &f->err);
    const struct memctx_extent low = {0, 16 * MEMCTX_MIB, 0, 0};
    const struct memctx_extent high = {4 * MEMCTX_GIB, 4096, 0, 1};
    assert_done(memctx_rammap_add_extent(map, &low, &f->err), &f->err);
    assert_done(memctx_rammap_add_extent(map, &high, &f->err), &f->err);
    guestimg_map(&f->img, &f->space, GVA + 4096, 4 * MEMCTX_GIB, 4096,
                 WRITABLE);
    memctx_rammap_destroy(f->kernel.map);
    f->kernel.map = map;
    assert_int_equal(write_at(f, GVA + 4094, 4, 9), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "writing at gpa 0x100000000");
    assert_bytes(f, GPA + 4094, 2, 0);
    close(sealed);
}

static unsigned
count_writable(const struct fixture *f)
{
    struct stat ours;
    unsigned count = 0;
    fstat(f->img.fd, &ours);
    for (int fd = 0; fd < 256; fd++) {
        struct stat st;
        if (fstat(fd, &st) == 0 && st.st_ino == ours.st_ino &&
            st.st_dev == ours.st_dev && fd != f->img.fd &&
            (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
            count++;
    }
    return count;
}

/* Made 0444 for readers, and so it is afterwards; no descriptor stays. */
static void
test_mode_and_descriptors_are_as_before(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(fchmod(f->img.fd, 0444), 0);
    assert_int_equal(write_at(f, GVA, 1, 3), 0);
    assert_int_equal(write_at(f, GVA + 8192, 1, 3), -1);
    assert_int_equal(fstat(f->img.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    assert_int_equal(count_writable(f), 0);
    assert_bytes(f, GPA, 1, 3);
}

/* Somebody who is but the owner of a 0444 memfd. */
static void
test_owner_without_capabilities(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(fchown(f->img.fd, 65534, 65534), 0);
    assert_int_equal(fchmod(f->img.fd, 0444), 0);
    assert_int_equal(seteuid(65534), 0);
    int failed = write_at(f, GVA, 1, 4);
    struct stat st;
    fstat(f->img.fd, &st);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(failed, 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    assert_bytes(f, GPA, 1, 4);
    /* A stranger without them may not, and is told what it takes. */
    assert_int_equal(fchown(f->img.fd, 65533, 65533), 0);
    assert_int_equal(seteuid(65534), 0);
    failed = write_at(f, GVA, 1, 5);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(failed, -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "CAP_DAC_OVERRIDE");
    assert_bytes(f, GPA, 1, 4);
}

static void *
write_often(void *arg)
{
    const struct ramwrite *write = arg;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (unsigned i = 0; i < 3000; i++) {
        if (ramwrite(write, &err) < 0)
            return strdup(err.message);
    }
    return NULL;
}

/* Several at once, as serving threads do. */
static void
test_owner_writes_from_many_threads(void **state)
{
    struct fixture *f = *state;
    struct walk_result found[4];
    struct ramwrite writes[4];
    pthread_t threads[4];
    char *failure = NULL;
    if (geteuid() != 0)
        skip();
    assert_int_equal(fchown(f->img.fd, 65534, 65534), 0);
    assert_int_equal(fchmod(f->img.fd, 0444), 0);
    assert_int_equal(seteuid(65534), 0);
    for (size_t i = 0; i < 4; i++) {
        writes[i] = f->write;
        writes[i].gva = GVA + 64 * i;
        writes[i].len_bytes = 1;
        found[i] = find(f, writes[i].gva, 1);
        writes[i].found = &found[i];
        pthread_create(&threads[i], NULL, write_often, &writes[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        void *said;
        pthread_join(threads[i], &said);
        failure = said != NULL ? said : failure;
    }
    struct stat st;
    fstat(f->img.fd, &st);
    assert_int_equal(seteuid(0), 0);
    if (failure != NULL)
        fail_msg("%s", failure);
    assert_int_equal(st.st_mode & 07777, 0444);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_bytes_arrive_and_no_others_change),
        T(test_write_over_two_pages_that_lie_apart),
        T(test_read_only_page_stays),
        T(test_walk_that_found_nothing_is_the_outcome),
        T(test_parts_that_are_not_these_bytes_take_nothing),
        T(test_page_outside_of_ram),
        T(test_one_line_of_the_log_tells_of_it),
        T(test_kernel_that_does_not_run_is_not_written),
        T(test_first_half_is_put_back),
        T(test_mode_and_descriptors_are_as_before),
        T(test_owner_without_capabilities),
        T(test_owner_writes_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM on its way to a prober arrives as it was, or not at all. */
#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guestimg.h"
#include "wire/start.h"

struct fixture {
    struct guestimg img;
    int sockets[2];
    struct memctx_start sent;
    struct memctx_start got;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, 2 * MEMCTX_MIB, MEMCTX_MIB);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->sockets), 0);
    f->sent = (struct memctx_start){.n_maps = 1,
                                    .parent = 17,
                                    .memory_bytes = 1000,
                                    .cpu_s = 5,
                                    .output_fd = -1};
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_start_deinit(&f->sent);
    memctx_start_deinit(&f->got);
    for (unsigned i = 0; i < 2; i++) {
        if (f->sockets[i] >= 0)
            close(f->sockets[i]);
    }
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
pass(struct fixture *f)
{
    assert_done(memctx_start_send(f->sockets[0], &f->sent, &f->err), &f->err);
    assert_done(memctx_start_receive(f->sockets[1], &f->got, &f->err), &f->err);
}

static void
assert_same_map(const struct memctx_rammap *a, const struct memctx_rammap *b)
{
    size_t n_a;
    size_t n_b;
    const struct memctx_extent *x = memctx_rammap_extents(a, &n_a);
    const struct memctx_extent *y = memctx_rammap_extents(b, &n_b);
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++) {
        assert_int_equal(x[i].gpa, y[i].gpa);
        assert_int_equal(x[i].size, y[i].size);
        assert_int_equal(x[i].offset, y[i].offset);
        assert_int_equal(x[i].backend, y[i].backend);
    }
    assert_int_equal(memctx_rammap_backends(a), memctx_rammap_backends(b));
    for (unsigned i = 0; i < memctx_rammap_backends(a); i++) {
        assert_string_equal(memctx_rammap_backend_name(a, i),
                            memctx_rammap_backend_name(b, i));
        assert_int_equal(memctx_rammap_backend_size(a, i),
                         memctx_rammap_backend_size(b, i));
    }
}

static void
test_common_guest_arrives(void **state)
{
    struct fixture *f = *state;
    unsigned char byte = 42;
    guestimg_write(&f->img, 4 * MEMCTX_GIB + 5, &byte, 1);
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    unsigned before = count_fds();
    pass(f);
    assert_int_equal(count_fds(), before + 1);
    assert_same_map(f->got.maps[0], f->sent.maps[0]);
    assert_int_equal(f->got.n_maps, 1);
    assert_null(f->got.maps[1]);
    assert_false(memctx_rammap_is_doubted(f->got.maps[0]));
    assert_int_equal(f->got.parent, 17);
    assert_int_equal(f->got.memory_bytes, 1000);
    assert_int_equal(f->got.cpu_s, 5);
    assert_int_equal(f->got.output_fd, -1);
    byte = 0;
    assert_done(memctx_rammap_read(f->got.maps[0], 4 * MEMCTX_GIB + 5, &byte, 1,
                                   &f->err),
                &f->err);
    assert_int_equal(byte, 42);
}

static void
test_output_arrives_beside_the_ram(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    unsigned char byte = 42;
    guestimg_write(&f->img, 5, &byte, 1);
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    f->sent.output_fd = ends[1];
    f->sent.output_bytes = 77;
    pass(f);
    assert_int_equal(f->got.output_bytes, 77);
    assert_int_equal(write(f->got.output_fd, "x", 1), 1);
    close(f->got.output_fd);
    close(ends[1]);
    byte = 0;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_done(memctx_rammap_read(f->got.maps[0], 5, &byte, 1, &f->err),
                &f->err);
    assert_int_equal(byte, 42);
    close(ends[0]);
}

static void
test_both_layouts_arrive(void **state)
{
    struct fixture *f = *state;
    const struct memctx_extent e = {UINT64_C(1) << 40, MEMCTX_MIB, 0, 0};
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    memctx_rammap_doubt(f->sent.maps[0]);
    assert_done(
        memctx_rammap_create_beside(f->sent.maps[0], &f->sent.maps[1], &f->err),
        &f->err);
    assert_done(memctx_rammap_add_extent(f->sent.maps[1], &e, &f->err),
                &f->err);
    f->sent.n_maps = 2;
    pass(f);
    assert_same_map(f->got.maps[0], f->sent.maps[0]);
    assert_same_map(f->got.maps[1], f->sent.maps[1]);
    assert_true(memctx_rammap_is_doubted(f->got.maps[0]));
    assert_true(memctx_rammap_is_doubted(f->got.maps[1]));
}

/* As many as there may be, each of a descriptor of its own, with a page map and
 * a file; and as many extents. */
static void
test_largest_guest_arrives(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit;
    unsigned index;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 4096)
        skip();
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_done(memctx_rammap_create(&f->sent.maps[0], &f->err), &f->err);
    for (unsigned i = 0; i < MEMCTX_BACKENDS_MAX; i++) {
        const struct memctx_source source = {.fd = guestimg_open(&f->img),
                                             .pagemap_fd =
                                                 guestimg_open(&f->img),
                                             .file_fd = guestimg_open(&f->img),
                                             .start = i * MEMCTX_MIB};
        assert_done(memctx_rammap_add_source(f->sent.maps[0], "ram", &source,
                                             2 * MEMCTX_MIB, NULL, &index,
                                             &f->err),
                    &f->err);
    }
    for (unsigned i = 0; i < MEMCTX_EXTENTS_MAX; i++) {
        const struct memctx_extent e = {i * MEMCTX_MIB, MEMCTX_MIB, 0,
                                        i % MEMCTX_BACKENDS_MAX};
        assert_done(memctx_rammap_add_extent(f->sent.maps[0], &e, &f->err),
                    &f->err);
    }
    unsigned before = count_fds();
    pass(f);
    assert_int_equal(count_fds(), before + 3 * MEMCTX_BACKENDS_MAX);
    assert_same_map(f->got.maps[0], f->sent.maps[0]);
    memctx_start_deinit(&f->got);
    assert_int_equal(count_fds(), before);
}

/* All private RAM of a QEMU is read through one pair of descriptors. */
static void
test_shared_descriptors_are_sent_once(void **state)
{
    struct fixture *f = *state;
    struct memctx_source source = {.fd = guestimg_open(&f->img),
                                   .pagemap_fd = guestimg_open(&f->img),
                                   .file_fd = -1};
    unsigned index;
    assert_done(memctx_rammap_create(&f->sent.maps[0], &f->err), &f->err);
    for (unsigned i = 0; i < 40; i++) {
        source.start = i * MEMCTX_MIB;
        assert_done(memctx_rammap_add_source(f->sent.maps[0], "ram", &source,
                                             MEMCTX_MIB, NULL, &index, &f->err),
                    &f->err);
    }
    unsigned before = count_fds();
    pass(f);
    assert_int_equal(count_fds(), before + 2);
    assert_int_equal(memctx_rammap_source(f->got.maps[0], 39)->start,
                     39 * MEMCTX_MIB);
}

/* Nothing stays open of what came before the packet that is wrong. */
static void
refuse_rest(struct fixture *f, enum memctx_error_kind class, const char *words)
{
    struct memctx_start got = {.n_maps = 0};
    unsigned before = count_fds();
    assert_int_equal(memctx_start_receive(f->sockets[1], &got, &f->err), -1);
    assert_error(&f->err, class, words);
    assert_null(got.maps[0]);
    assert_int_equal(count_fds(), before);
}

static void
test_nothing_and_nonsense_are_refused(void **state)
{
    struct fixture *f = *state;
    char nonsense[4000] = "memctx";
    assert_int_equal(send(f->sockets[0], nonsense, 5, 0), 5);
    refuse_rest(f, MEMCTX_BUG, "no start");
    assert_int_equal(send(f->sockets[0], nonsense, sizeof(nonsense), 0),
                     sizeof(nonsense));
    refuse_rest(f, MEMCTX_BUG, "no start");
    close(f->sockets[0]);
    f->sockets[0] = -1;
    refuse_rest(f, MEMCTX_GONE, "nobody tells");
}

/* Hand the n packets of a start on, with byte `at` of the last one another. */
static void
forward(struct fixture *f, unsigned n, size_t at)
{
    int between[2];
    char control[1024];
    char bytes[8192];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, between), 0);
    assert_done(memctx_start_send(between[0], &f->sent, &f->err), &f->err);
    for (unsigned i = 0; i < n; i++) {
        struct iovec iov = {bytes, sizeof(bytes)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t len = recvmsg(between[1], &message, MSG_CMSG_CLOEXEC);
        assert_true(len > 0 && (i + 1 < n || (size_t)len > at));
        iov.iov_len = (size_t)len;
        if (i + 1 == n)
            bytes[at] ^= 0x41;
        assert_int_equal(sendmsg(f->sockets[0], &message, 0), len);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        if (c != NULL)
            close(*(int *)CMSG_DATA(c));
    }
    close(between[0]);
    close(between[1]);
    shutdown(f->sockets[0], SHUT_WR);
}

static void
test_other_build_is_refused(void **state)
{
    struct fixture *f = *state;
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    forward(f, 1, 8);
    refuse_rest(f, MEMCTX_BUG, "two builds");
}

static void
test_source_without_descriptor_is_refused(void **state)
{
    struct fixture *f = *state;
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    forward(f, 2, 8 + MEMCTX_BACKEND_NAME_MAX + 16);
    refuse_rest(f, MEMCTX_BUG, "did not come");
}

static void
test_places_of_another_map_are_refused(void **state)
{
    struct fixture *f = *state;
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    forward(f, 3, 8);
    refuse_rest(f, MEMCTX_BUG, "too many extents");
}

static void
test_prober_that_is_gone_gets_nothing(void **state)
{
    struct fixture *f = *state;
    f->sent.maps[0] = guestimg_rammap(&f->img, NULL);
    close(f->sockets[1]);
    f->sockets[1] = -1;
    assert_int_equal(memctx_start_send(f->sockets[0], &f->sent, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "cannot be sent");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_common_guest_arrives),
        T(test_output_arrives_beside_the_ram),
        T(test_both_layouts_arrive),
        T(test_largest_guest_arrives),
        T(test_shared_descriptors_are_sent_once),
        T(test_nothing_and_nonsense_are_refused),
        T(test_other_build_is_refused),
        T(test_source_without_descriptor_is_refused),
        T(test_places_of_another_map_are_refused),
        T(test_prober_that_is_gone_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A descriptor that was handed out stays read-only in the hands of another uid,
 * by whatever way; and what cannot be made safe is not handed out. As root: the
 * ways are tried by a child that is somebody else. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "record/epoch.h"
#include "backing/readonly.h"

#define SIZE (4 * MEMCTX_MIB)
#define QEMU 1002u
#define NOBODY 65534u

/* As QEMU's memory backend makes it (backends/hostmem-memfd.c): mode 0777 and
 * sealed against seals. */
static int
make_memfd(uid_t owner)
{
    int fd = memfd_create("pc.ram", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    assert_int_equal(
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
    assert_int_equal(pwrite(fd, "guest", 5, 0), 5);
    if (geteuid() == 0)
        assert_int_equal(fchown(fd, owner, owner), 0);
    return fd;
}

static struct memctx_source
source_of(int fd)
{
    return (struct memctx_source){.fd = fd, .pagemap_fd = -1, .file_fd = -1};
}

/* ---- each way to write, given a descriptor: true when it worked -------- */

static bool
by_write(int fd)
{
    return write(fd, "x", 1) == 1;
}

static bool
by_pwrite(int fd)
{
    return pwrite(fd, "x", 1, 0) == 1;
}

static bool
by_mmap(int fd)
{
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p != MAP_FAILED && (p[0] = 'x') == 'x';
}

static bool
by_mprotect(int fd)
{
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0 &&
           (p[0] = 'x') == 'x';
}

static bool
by_madvise(int fd)
{
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    return p != MAP_FAILED && madvise(p, 4096, MADV_REMOVE) == 0;
}

static bool
reopens(int fd, int flags)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, flags) >= 0;
}

static bool
by_reopen(int fd)
{
    return reopens(fd, O_RDWR) || reopens(fd, O_WRONLY);
}

static bool
by_reopen_truncated(int fd)
{
    return reopens(fd, O_RDONLY | O_TRUNC);
}

static bool
by_ftruncate(int fd)
{
    return ftruncate(fd, 0) == 0 || ftruncate(fd, 2 * SIZE) == 0;
}

static bool
by_fallocate(int fd)
{
    return fallocate(fd, 0, 0, 4096) == 0;
}

static bool
by_punching(int fd)
{
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) ==
           0;
}

static bool
by_fchmod(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fchmod(fd, 0666) == 0 || chmod(path, 0666) == 0 ||
           fchown(fd, NOBODY, NOBODY) == 0;
}

static bool
by_seals(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

static bool
by_flags(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, (flags & ~O_ACCMODE) | O_RDWR | O_APPEND);
    return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY || by_write(fd);
}

static const struct {
    const char *name;
    bool (*works)(int fd);
} ways[] = {
    {"write", by_write},
    {"pwrite", by_pwrite},
    {"mmap shared writable", by_mmap},
    {"mprotect", by_mprotect},
    {"MADV_REMOVE", by_madvise},
    {"re-open through /proc/self/fd", by_reopen},
    {"re-open with O_TRUNC", by_reopen_truncated},
    {"ftruncate", by_ftruncate},
    {"fallocate", by_fallocate},
    {"PUNCH_HOLE", by_punching},
    {"fchmod, fchown", by_fchmod},
    {"F_ADD_SEALS", by_seals},
    {"F_SETFL", by_flags},
};

/* Try all of them as this user; a bit for each that worked. */
static unsigned
try_ways(int fd, uid_t uid)
{
    int answer[2];
    unsigned worked = 0;
    assert_int_equal(pipe(answer), 0);
    pid_t child = fork();
    if (child == 0) {
        if (setgid(uid) < 0 || setuid(uid) < 0 || setuid(0) == 0)
            _exit(1);
        for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(ways); i++)
            worked |= ways[i].works(fd) ? 1u << i : 0;
        if (write(answer[1], &worked, sizeof(worked)) < 0)
            _exit(1);
        _exit(0);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    assert_int_equal(read(answer[0], &worked, sizeof(worked)), sizeof(worked));
    close(answer[0]);
    close(answer[1]);
    return worked;
}

static void
assert_no_way(int fd, uid_t uid)
{
    unsigned worked = try_ways(fd, uid);
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(ways); i++) {
        if ((worked >> i & 1) != 0)
            fail_msg("uid %u could write by: %s", (unsigned)uid, ways[i].name);
    }
}

static int
hand_out(int fd, uid_t peer)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_source source = source_of(fd);
    int out = -1;
    assert_done(readonly_open(&source, peer, &out, &err), &err);
    return out;
}

static void
test_another_uid_cannot_write_by_any_way(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    int qemus = make_memfd(QEMU);
    int ours = readonly_reopen(qemus);
    int theirs = hand_out(ours, NOBODY);
    assert_no_way(theirs, NOBODY);
    char bytes[5];
    assert_int_equal(pread(qemus, bytes, 5, 0), 5);
    assert_memory_equal(bytes, "guest", 5);
    /* QEMU goes on writing, and growing nothing. */
    assert_int_equal(pwrite(qemus, "guest", 5, 4096), 5);
    assert_int_equal(pread(theirs, bytes, 5, 4096), 5);
    assert_memory_equal(bytes, "guest", 5);
    close(theirs);
    close(ours);
    close(qemus);
}

/* The test can fail: so it is with the descriptor as it was. */
static void
test_mode_of_a_memfd_as_made_lets_others_write(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    int qemus = make_memfd(QEMU);
    int plain = readonly_reopen(qemus);
    unsigned worked = try_ways(plain, NOBODY);
    unsigned reopen = 0;
    while (ways[reopen].works != by_reopen)
        reopen++;
    assert_int_equal(worked, 1u << reopen);
    close(plain);
    close(qemus);
}

static void
test_state_page_takes_no_writes(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct epoch *epoch;
    int fd;
    int other;
    if (geteuid() != 0)
        skip();
    assert_done(epoch_create(&epoch, &err), &err);
    epoch_set(epoch, 5);
    assert_done(epoch_open_page(epoch, &fd, &err), &err);
    assert_done(epoch_open_page(epoch, &other, &err), &err);
    assert_no_way(fd, NOBODY);
    /* Sealed: root can open it, and yet not write. */
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int writable = open(path, O_RDWR);
    assert_true(writable >= 0);
    assert_false(by_pwrite(writable) || by_mmap(writable) ||
                 by_ftruncate(writable) || by_punching(writable));
    close(writable);
    const struct statepage *page =
        mmap(NULL, STATEPAGE_SIZE, PROT_READ, MAP_SHARED, other, 0);
    assert_int_equal(page->epoch, 5);
    epoch_set(epoch, 6);
    assert_int_equal(page->epoch, 6);
    epoch_set(epoch, STATEPAGE_OVER);
    epoch_drop(epoch);
    assert_true(page->epoch == STATEPAGE_OVER);
    munmap((void *)page, STATEPAGE_SIZE);
    close(fd);
    close(other);
}

static void
assert_refused(int fd, uid_t peer, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_source source = source_of(fd);
    int out = -1;
    assert_int_equal(readonly_open(&source, peer, &out, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(out, -1);
}

static void
test_owner_of_the_file_gets_nothing(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    int fd = make_memfd(QEMU);
    assert_refused(fd, QEMU, "belongs to uid 1002");
    close(hand_out(fd, 0)); /* root may do it without us */
    close(fd);
}

static void
test_own_memory_of_qemu_is_not_handed_out(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    struct memctx_source source = {.fd = mem, .pagemap_fd = mem, .file_fd = -1};
    int out = -1;
    assert_int_equal(readonly_open(&source, 0, &out, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "memory of QEMU's own");
    close(mem);
}

/* Somebody who is neither owner nor has CAP_FOWNER cannot make it safe. */
static void
test_mode_that_cannot_be_changed(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    int qemus = make_memfd(QEMU);
    int ours = readonly_reopen(qemus);
    assert_int_equal(seteuid(NOBODY), 0);
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_source source = source_of(ours);
    int out = -1;
    int failed = readonly_open(&source, 1003, &out, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(failed, -1);
    assert_error(&err, MEMCTX_PERMANENT, "CAP_FOWNER");
    close(ours);
    close(qemus);
}

static void
test_file_with_a_name(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool safe;
    } modes[] = {{0600, true},  {0400, true},  {0644, true}, {0755, true},
                 {0660, false}, {0602, false}, {0777, false}};
    char path[] = "/tmp/memctx-readonly-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(modes); i++) {
        struct stat st;
        assert_int_equal(fchmod(fd, modes[i].mode), 0);
        if (modes[i].safe)
            close(hand_out(fd, NOBODY));
        else
            assert_refused(fd, NOBODY, "chmod go-w");
        /* Its mode is its owner's. */
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, modes[i].mode);
    }
    assert_int_equal(fchmod(fd, 0600), 0);
    if (geteuid() == 0) {
        int theirs = hand_out(fd, NOBODY);
        assert_no_way(theirs, NOBODY);
        close(theirs);
    }
    /* Unlinked it has no other names to be opened by. */
    assert_int_equal(fchmod(fd, 0666), 0);
    unlink(path);
    int theirs = hand_out(fd, NOBODY);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    close(theirs);
    close(fd);
}

/* Neither offset nor flags are shared with ours. */
static void
test_description_is_another(void **state)
{
    (void)state;
    int fd = make_memfd(QEMU);
    int theirs = hand_out(fd, 0);
    assert_int_equal(lseek(theirs, 100, SEEK_SET), 100);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_true((fcntl(theirs, F_GETFD) & FD_CLOEXEC) != 0);
    close(theirs);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_uid_cannot_write_by_any_way),
        cmocka_unit_test(test_mode_of_a_memfd_as_made_lets_others_write),
        cmocka_unit_test(test_state_page_takes_no_writes),
        cmocka_unit_test(test_owner_of_the_file_gets_nothing),
        cmocka_unit_test(test_own_memory_of_qemu_is_not_handed_out),
        cmocka_unit_test(test_mode_that_cannot_be_changed),
        cmocka_unit_test(test_file_with_a_name),
        cmocka_unit_test(test_description_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

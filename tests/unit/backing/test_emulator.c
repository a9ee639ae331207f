/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finding QEMU by its pidfile: a child of this test plays QEMU, with a pidfile
 * that it holds locked and arguments of its own, and with RAM of each kind. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backing/backing.h"
#include "base/bytes.h"
#include "backing/process.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define RAM (8 * MEMCTX_MIB)
#define PAGE MEMCTX_PAGE_SIZE

enum child_kind {
    CHILD_SHARED,    /* a memfd mapped shared, as QEMU does */
    CHILD_PRIVATE,   /* the same, mapped private */
    CHILD_ANONYMOUS, /* memory with a guard behind it, as QEMU has it */
    CHILD_UNMAPPED,  /* a memfd that is not mapped at all */
    CHILD_UNLOCKED,  /* holds no lock on its pidfile */
};

struct fixture {
    char root[64];
    char uri[128];
    char pidfile[192];
    pid_t child;
};

static void
write_pidfile(const char *path, pid_t pid)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%d\n", (int)pid);
    fclose(file);
}

/* RAM of that kind, with a page written by the guest. */
static void
map_ram(enum child_kind kind, int fd)
{
    unsigned char *ram;
    if (kind == CHILD_UNMAPPED)
        return;
    if (kind == CHILD_ANONYMOUS) {
        ram = mmap(NULL, RAM + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                   0);
        if (mprotect(ram, RAM, PROT_READ | PROT_WRITE) < 0)
            _exit(1);
        madvise(ram, RAM, MADV_NOHUGEPAGE);
    } else {
        ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
                   kind == CHILD_PRIVATE ? MAP_PRIVATE : MAP_SHARED, fd, 0);
    }
    memset(ram + 3 * PAGE, 'G', PAGE);
}

/* Be QEMU from here on: this program has been executed again under QEMU's
 * arguments, and takes the lock and makes the mapping itself. */
static void
play_qemu(const struct fixture *f, enum child_kind kind, int ready)
{
    int fd = memfd_create("memory-backend-memfd", 0);
    int pidfile = open(f->pidfile, O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (ftruncate(fd, (off_t)RAM) < 0 ||
        (kind != CHILD_UNLOCKED && fcntl(pidfile, F_SETLK, &lock) < 0))
        _exit(1);
    map_ram(kind, fd);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* What the child is started with: this program again, as argv[0] "play". */
static int
play(char **argv)
{
    struct fixture f;
    snprintf(f.pidfile, sizeof(f.pidfile), "%s", argv[1]);
    play_qemu(&f, (enum child_kind)atoi(argv[2]), atoi(argv[3]));
    return 1;
}

static void
start_child(struct fixture *f, enum child_kind kind, const char *uuid,
            const char *backends)
{
    int ready[2];
    char byte;
    char number[16];
    char where[16];
    assert_int_equal(pipe(ready), 0);
    snprintf(number, sizeof(number), "%d", (int)kind);
    snprintf(where, sizeof(where), "%d", ready[1]);
    f->child = fork();
    assert_true(f->child >= 0);
    if (f->child == 0) {
        write_pidfile(f->pidfile, getpid());
        execl(program_invocation_name, "play", f->pidfile, number, where,
              "-uuid", uuid, "-machine", "pc-q35-7.2,memory-backend=pc.ram",
              "-m", "8", "-object", backends, "-object",
              "secret,id=masterKey0,format=raw", (char *)NULL);
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char dir[128];
    strcpy(f->root, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->uri, sizeof(f->uri), "qemu:///embed?root=%s", f->root);
    snprintf(dir, sizeof(dir), "%s/run", f->root);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(dir, sizeof(dir), "%s/run/qemu", f->root);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(f->pidfile, sizeof(f->pidfile), "%s/guest.pid", dir);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    char dir[128];
    if (f->child > 0) {
        kill(f->child, SIGKILL);
        waitpid(f->child, NULL, 0);
    }
    unlink(f->pidfile);
    snprintf(dir, sizeof(dir), "%s/run/qemu", f->root);
    rmdir(dir);
    snprintf(dir, sizeof(dir), "%s/run", f->root);
    rmdir(dir);
    rmdir(f->root);
    free(f);
    return 0;
}

#define SHARED_RAM                                              \
    "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\"," \
    "\"share\":true,\"size\":8388608}"

static struct memctx_domxml
facts_of_guest(void)
{
    struct memctx_domxml facts = {.id = 1};
    strcpy(facts.arch, "x86_64");
    return facts;
}

/* Kibibytes that the child has in memory of its own and in shared memory. */
static unsigned
resident_kib(const struct fixture *f)
{
    char path[64];
    char line[128];
    unsigned total = 0;
    unsigned kib;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)f->child);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "RssAnon: %u kB", &kib) == 1 ||
            sscanf(line, "RssShmem: %u kB", &kib) == 1)
            total += kib;
    }
    fclose(file);
    return total;
}

/* All RAM is read: what the guest wrote is there, and nothing grows. */
static void
assert_shows_guest(const struct fixture *f, const struct memctx_rammap *map)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    unsigned char *bytes = test_malloc(RAM);
    unsigned before = resident_kib(f);
    uint64_t start;
    uint64_t end;
    assert_done(memctx_rammap_read(map, 0, bytes, RAM, &err), &err);
    assert_int_equal(bytes[3 * PAGE - 1], 0);
    assert_int_equal(bytes[3 * PAGE], 'G');
    assert_int_equal(bytes[4 * PAGE - 1], 'G');
    assert_int_equal(bytes[RAM - 1], 0);
    assert_int_equal(memctx_rammap_next_data(map, 0, RAM, &start, &end), 1);
    assert_int_equal(start, 3 * PAGE);
    assert_int_equal(end, 4 * PAGE);
    assert_int_equal(resident_kib(f), before);
    test_free(bytes);
}

/* Find the child and open its RAM, which must fail with these words; or with
 * NULL must go well. */
static void
assert_opens(const struct fixture *f, enum memctx_error_kind kind,
             const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    const struct memctx_domxml facts = facts_of_guest();
    assert_done(process_find(f->uri, "guest", UUID, &process, &err), &err);
    int result = backing_open(&process, &facts, &ram, &err);
    if (words == NULL) {
        assert_done(result, &err);
        assert_int_equal(ram.low, RAM);
        assert_string_equal(memctx_rammap_backend_name(ram.map, 0), "pc.ram");
        assert_shows_guest(f, ram.map);
        ram_deinit(&ram);
    } else {
        assert_int_equal(result, -1);
        assert_error(&err, kind, words);
    }
    process_deinit(&process);
}

static void
test_shared_ram_is_opened(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_opens(f, MEMCTX_OK, NULL);
}

static void
test_private_mapping_is_read_from_the_process(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_PRIVATE, UUID, SHARED_RAM);
    assert_opens(f, MEMCTX_OK, NULL);
}

#define ANONYMOUS_RAM                                         \
    "{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\"," \
    "\"size\":8388608}"

static void
test_anonymous_ram_is_read_from_the_process(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_ANONYMOUS, UUID, ANONYMOUS_RAM);
    assert_opens(f, MEMCTX_OK, NULL);
}

static void
test_ram_not_mapped_yet_is_retried(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_UNMAPPED, UUID, SHARED_RAM);
    assert_opens(f, MEMCTX_RETRY, "not mapped memory backend 'pc.ram'");
}

static void
test_encrypted_and_foreign_guests(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    struct memctx_domxml facts = facts_of_guest();
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_done(process_find(f->uri, "guest", UUID, &process, &err), &err);
    strcpy(facts.encrypted, "sev-snp");
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "encrypted (launchSecurity sev-snp)");
    facts.encrypted[0] = '\0';
    static const char *const foreign[] = {"s390x", "riscv64", "armv7l"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(foreign); i++) {
        char words[32];
        snprintf(words, sizeof(words), "architecture '%s'", foreign[i]);
        strcpy(facts.arch, foreign[i]);
        assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, words);
    }
    static const char *const known[] = {"x86_64", "i686", "aarch64"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(known); i++) {
        strcpy(facts.arch, known[i]);
        assert_done(backing_check_guest(&facts, NULL, &err), &err);
    }
    process_deinit(&process);
}

static void
assert_not_found(const struct fixture *f, enum memctx_error_kind kind,
                 const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    assert_int_equal(process_find(f->uri, "guest", UUID, &process, &err), -1);
    assert_error(&err, kind, words);
}

static void
test_backend_of_another_size_is_not_taken(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_SHARED, UUID,
                "memory-backend-memfd,id=pc.ram,share=on,size=16777216");
    assert_not_found(f, MEMCTX_PERMANENT, "backend 'pc.ram' differ in size");
}

static void
test_no_pidfile_yet(void **state)
{
    assert_not_found(*state, MEMCTX_RETRY, "cannot open QEMU's pidfile");
}

static void
test_pidfile_without_a_pid(void **state)
{
    struct fixture *f = *state;
    write_pidfile(f->pidfile, 0);
    assert_not_found(f, MEMCTX_RETRY, "holds no pid");
}

/* The number of a QEMU that died has gone to a process of somebody else. */
static void
test_pidfile_that_nobody_holds(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_UNLOCKED, UUID, SHARED_RAM);
    assert_not_found(f, MEMCTX_RETRY, "not hold it locked");
}

static void
test_process_of_another_domain(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_SHARED, "00000000-0000-0000-0000-000000000000",
                SHARED_RAM);
    assert_not_found(f, MEMCTX_RETRY, "does not carry the domain's uuid");
}

static void
test_process_that_ended_is_gone(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    const struct memctx_domxml facts = facts_of_guest();
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_done(process_find(f->uri, "guest", UUID, &process, &err), &err);
    assert_done(process_check(&process, &err), &err);
    kill(f->child, SIGKILL);
    waitpid(f->child, NULL, 0);
    f->child = 0;
    assert_int_equal(process_check(&process, &err), -1);
    assert_error(&err, MEMCTX_GONE, "QEMU has ended");
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_GONE, "QEMU has ended");
    process_deinit(&process);
}

static void
test_foreign_driver_has_no_pidfiles(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char dir[64];
    assert_int_equal(
        process_pidfile_dir("xen:///system", dir, sizeof(dir), &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "only the domains of QEMU");
}

int
main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[0], "play") == 0)
        return play(argv);
    if (syscall(SYS_pidfd_open, getpid(), 0) < 0 && errno == ENOSYS) {
        puts("skipped: no pidfd_open() here (valgrind 3.19 does not know it)");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared_ram_is_opened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_private_mapping_is_read_from_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_anonymous_ram_is_read_from_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_encrypted_and_foreign_guests,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ram_not_mapped_yet_is_retried,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_backend_of_another_size_is_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_pidfile_yet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_without_a_pid, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_that_nobody_holds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_process_of_another_domain, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_process_that_ended_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test(test_foreign_driver_has_no_pidfiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

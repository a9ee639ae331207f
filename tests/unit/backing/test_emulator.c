/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finding QEMU by libvirt's pidfiles: a child of this test plays QEMU, or a
 * wrapper that starts it, with a pidfile that it holds locked and arguments of
 * its own, and with RAM of each kind. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backing/backing.h"
#include "base/bytes.h"
#include "backing/emulator.h"
#include "backing/pidfile.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define RAM (8 * MEMCTX_MIB)
#define PAGE MEMCTX_PAGE_SIZE

enum child_kind {
    CHILD_SHARED,    /* a memfd mapped shared, as QEMU does */
    CHILD_PRIVATE,   /* the same, mapped private */
    CHILD_ANONYMOUS, /* memory with a guard behind it, as QEMU has it */
    CHILD_UNMAPPED,  /* a memfd that is not mapped at all */
    CHILD_UNLOCKED,  /* holds no lock on its pidfile */
    CHILD_FORKED,    /* shared, with a fork of itself below it */
    CHILD_WRAPPER,   /* no QEMU, but starts one that is CHILD_UNLOCKED */
    CHILD_SUBSHELL,  /* the same, by a fork of itself as shells do */
    CHILD_CHILDLESS, /* no QEMU, and starts none */
};

struct fixture {
    char root[64];
    char uri[128];
    char pidfile[192];
    pid_t child;
    const char *mib;     /* -m */
    const char *then[3]; /* an option behind libvirt's own */
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
    if (kind == CHILD_UNMAPPED || kind == CHILD_CHILDLESS)
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
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || ftruncate(fd, (off_t)RAM) < 0 ||
        (kind != CHILD_UNLOCKED && fcntl(pidfile, F_SETLK, &lock) < 0))
        _exit(1);
    map_ram(kind, fd);
    if (kind == CHILD_FORKED && fork() == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* Start QEMU, with the arguments that libvirt gave the wrapper, and wait. */
static void
play_wrapper(const struct fixture *f, enum child_kind kind, char **argv)
{
    int pidfile = open(f->pidfile, O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        fcntl(pidfile, F_SETLK, &lock) < 0)
        _exit(1);
    bool above = kind == CHILD_SUBSHELL && fork() != 0;
    if (!above && fork() == 0) {
        char number[16];
        snprintf(number, sizeof(number), "%d", (int)CHILD_UNLOCKED);
        argv[2] = number;
        execv("/proc/self/exe", argv);
        _exit(1);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

/* What the child is started with: this program again, as argv[0] "play". */
static int
play(char **argv)
{
    struct fixture f;
    enum child_kind kind = (enum child_kind)atoi(argv[2]);
    snprintf(f.pidfile, sizeof(f.pidfile), "%s", argv[1]);
    if (kind == CHILD_WRAPPER || kind == CHILD_SUBSHELL)
        play_wrapper(&f, kind, argv);
    play_qemu(&f, kind, atoi(argv[3]));
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
              "-m", f->mib, "-object", backends, "-object",
              "secret,id=masterKey0,format=raw", f->then[0], f->then[1],
              (char *)NULL);
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
    f->mib = "8";
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
    snprintf(dir, sizeof(dir), "rm -rf '%s'", f->root);
    assert_int_equal(system(dir), 0);
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
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
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
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
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
    assert_int_equal(emulator_find(f->uri, "guest", UUID, &process, &err), -1);
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
    assert_not_found(*state, MEMCTX_RETRY, "no pidfile of libvirt names");
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
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
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

/* Find the child under this name; the pid found is returned. */
static pid_t
find(const struct fixture *f, const char *name)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    const struct memctx_domxml facts = facts_of_guest();
    assert_done(emulator_find(f->uri, name, UUID, &process, &err), &err);
    assert_done(backing_open(&process, &facts, &ram, &err), &err);
    assert_shows_guest(f, ram.map);
    assert_string_equal(process.args->uuid, UUID);
    ram_deinit(&ram);
    process_deinit(&process);
    return process.pid;
}

/* A file beside the right one, with this content; NULL: a FIFO. */
static void
add_pidfile(const struct fixture *f, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/run/qemu/%s", f->root, name);
    if (content == NULL) {
        assert_int_equal(mkfifo(path, 0600), 0);
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* libvirt escapes a domain's name for XML before it makes a file of it. */
static void
test_pidfile_of_another_name(void **state)
{
    struct fixture *f = *state;
    char parent[32];
    snprintf(parent, sizeof(parent), "%d\n", (int)getppid());
    add_pidfile(f, "aa.pid", "");
    add_pidfile(f, "bb.pid", "999999999999");
    add_pidfile(f, "cc.pid", parent);
    add_pidfile(f, "R&D.pid", NULL);
    add_pidfile(f, ".pid", "no");
    add_pidfile(f, "zz", "1\n");
    snprintf(f->pidfile, sizeof(f->pidfile), "%s/run/qemu/R&amp;D.pid",
             f->root);
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_int_equal(find(f, "R&D"), f->child);
    assert_int_equal(find(f, "../qemu/R&D"), f->child);
    char name[4096];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(find(f, name), f->child);
}

/* For SMBIOS, by <qemu:commandline>. */
static void
test_uuid_of_the_owner_is_not_the_domains(void **state)
{
    struct fixture *f = *state;
    f->then[0] = "-uuid";
    f->then[1] = "00000000-0000-0000-0000-000000000000";
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_int_equal(find(f, "guest"), f->child);
}

static struct memctx_memconf
memory_of(const struct fixture *f)
{
    struct process process;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
    const struct memctx_memconf memory = process.args->memory;
    process_deinit(&process);
    return memory;
}

/* It counts as long as it is what QEMU read. */
static void
test_file_of_options(void **state)
{
    struct fixture *f = *state;
    static char path[128];
    const struct timespec tick = {.tv_nsec = 20000000};
    snprintf(path, sizeof(path), "%s/run/qemu/options.cfg", f->root);
    add_pidfile(f, "options.cfg", "[machine]\n  max-ram-below-4g = \"4M\"\n");
    nanosleep(&tick, NULL); /* a process' start is told in ticks */
    f->then[0] = "-readconfig";
    f->then[1] = path;
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_int_equal(memory_of(f).max_ram_below_4g, 4 * MEMCTX_MIB);
    assert_string_equal(memory_of(f).doubt, "");
    nanosleep(&tick, NULL);
    add_pidfile(f, "options.cfg", "[machine]\n  max-ram-below-4g = \"2M\"\n");
    assert_int_equal(memory_of(f).max_ram_below_4g, 0);
    assert_string_not_equal(memory_of(f).doubt, "");
}

/* Whoever wrote the arguments cannot make us wait. */
static void
test_file_of_options_that_is_none(void **state)
{
    struct fixture *f = *state;
    static char path[128];
    snprintf(path, sizeof(path), "%s/run/qemu/fifo", f->root);
    add_pidfile(f, "fifo", NULL);
    f->then[0] = "-readconfig";
    f->then[1] = path;
    start_child(f, CHILD_SHARED, UUID, SHARED_RAM);
    assert_string_not_equal(memory_of(f).doubt, "");
}

/* -run-with async-teardown=on has one. */
static void
test_fork_of_qemu_is_not_qemu(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_FORKED, UUID, SHARED_RAM);
    assert_int_equal(find(f, "guest"), f->child);
}

static void
test_child_of_a_wrapper_is_qemu(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_WRAPPER, UUID, SHARED_RAM);
    assert_int_not_equal(find(f, "guest"), f->child);
}

static void
test_grandchild_of_a_wrapper_is_qemu(void **state)
{
    struct fixture *f = *state;
    start_child(f, CHILD_SUBSHELL, UUID, SHARED_RAM);
    assert_int_not_equal(find(f, "guest"), f->child);
}

/* As if the process had been started that long ago. */
static void
make_older(struct process *process, unsigned seconds)
{
    uint64_t ticks = seconds * (uint64_t)sysconf(_SC_CLK_TCK);
    process->instance -= memctx_min(process->instance >> 22, ticks) << 22;
}

static void
test_wrapper_without_qemu(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    const struct memctx_domxml facts = facts_of_guest();
    f->mib = "67108864"; /* more than a sanitizer maps */
    start_child(f, CHILD_CHILDLESS, UUID,
                "memory-backend-memfd,id=pc.ram,share=on,size=64T");
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_RETRY, "QEMU has just started");
    make_older(&process, 10);
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_RETRY, "is a wrapper");
    make_older(&process, 30);
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "no child of it is QEMU");
    process_deinit(&process);
}

/* It has enough memory to be QEMU. */
static void
test_ram_that_does_not_come(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct process process;
    struct ram ram;
    const struct memctx_domxml facts = facts_of_guest();
    f->mib = "1";
    start_child(f, CHILD_UNMAPPED, UUID,
                "memory-backend-memfd,id=pc.ram,share=on,size=1M");
    assert_done(emulator_find(f->uri, "guest", UUID, &process, &err), &err);
    make_older(&process, 60);
    assert_int_equal(backing_open(&process, &facts, &ram, &err), -1);
    assert_error(&err, MEMCTX_RETRY, " s after its start");
    process_deinit(&process);
}

static void
test_foreign_driver_has_no_pidfiles(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char dir[64];
    assert_int_equal(pidfile_dir("xen:///system", dir, sizeof(dir), &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "only the domains of QEMU");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
        T(test_shared_ram_is_opened),
        T(test_private_mapping_is_read_from_the_process),
        T(test_anonymous_ram_is_read_from_the_process),
        T(test_encrypted_and_foreign_guests),
        T(test_ram_not_mapped_yet_is_retried),
        T(test_backend_of_another_size_is_not_taken),
        T(test_no_pidfile_yet),
        T(test_pidfile_without_a_pid),
        T(test_pidfile_that_nobody_holds),
        T(test_process_of_another_domain),
        T(test_process_that_ended_is_gone),
        T(test_pidfile_of_another_name),
        T(test_uuid_of_the_owner_is_not_the_domains),
        T(test_file_of_options),
        T(test_file_of_options_that_is_none),
        T(test_fork_of_qemu_is_not_qemu),
        T(test_child_of_a_wrapper_is_qemu),
        T(test_grandchild_of_a_wrapper_is_qemu),
        T(test_wrapper_without_qemu),
        T(test_ram_that_does_not_come),
        cmocka_unit_test(test_foreign_driver_has_no_pidfiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "confined.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ram/procmem.h"
#include "unit.h"

static void
make_memory(struct confined *c)
{
    unsigned char *all = mmap(NULL, 4 * CONFINED_RAM_SIZE, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    c->ram = all + CONFINED_RAM_SIZE;
    c->secret = c->ram + CONFINED_RAM_SIZE + CONFINED_PAGE;
    assert_int_equal(
        mprotect(c->ram, CONFINED_RAM_SIZE, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(
        mprotect(c->secret, CONFINED_RAM_SIZE, PROT_READ | PROT_WRITE), 0);
    memset(c->ram, 'r', CONFINED_RAM_SIZE);
    memset(c->secret, 's', CONFINED_RAM_SIZE);
}

static void
start_qemu(struct confined *c)
{
    char path[64];
    c->qemu = fork();
    assert_true(c->qemu >= 0);
    while (c->qemu == 0)
        pause();
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)c->qemu);
    c->mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)c->qemu);
    c->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(c->mem >= 0 && c->pagemap >= 0);
}

static void
make_maps(struct confined *c)
{
    unsigned index;
    const struct memctx_source source = {.fd = dup(c->mem),
                                         .pagemap_fd = dup(c->pagemap),
                                         .file_fd = -1,
                                         .start = (uintptr_t)c->ram};
    const struct memctx_extent all = {0, CONFINED_RAM_SIZE, 0, 0};
    assert_done(memctx_rammap_create(&c->map, &c->err), &c->err);
    assert_done(
        memctx_rammap_add_source(c->map, "ram", &source, CONFINED_RAM_SIZE,
                                 &memctx_procmem_pread_io, &index, &c->err),
        &c->err);
    assert_done(memctx_rammap_add_extent(c->map, &all, &c->err), &c->err);
    c->file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(c->file, CONFINED_RAM_SIZE), 0);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", c->file);
    assert_done(memctx_rammap_create(&c->other, &c->err), &c->err);
    assert_done(memctx_rammap_add_backend(c->other, "ram",
                                          open(path, O_RDONLY | O_CLOEXEC),
                                          NULL, &index, &c->err),
                &c->err);
    assert_done(memctx_rammap_add_extent(c->other, &all, &c->err), &c->err);
}

int
confined_set_up(void **state)
{
    struct confined *c = calloc(1, sizeof(*c));
    make_memory(c);
    start_qemu(c);
    make_maps(c);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->sockets), 0);
    /* A child that does not answer must not hang the test. */
    const struct timeval minute = {.tv_sec = 60};
    assert_int_equal(setsockopt(c->sockets[0], SOL_SOCKET, SO_RCVTIMEO, &minute,
                                sizeof(minute)),
                     0);
    *state = c;
    return 0;
}

int
confined_tear_down(void **state)
{
    struct confined *c = *state;
    kill(c->qemu, SIGKILL);
    waitpid(c->qemu, NULL, 0);
    memctx_rammap_destroy(c->map);
    memctx_rammap_destroy(c->other);
    close(c->mem);
    close(c->pagemap);
    close(c->file);
    close(c->sockets[0]);
    close(c->sockets[1]);
    munmap(c->ram - CONFINED_RAM_SIZE, 4 * CONFINED_RAM_SIZE);
    free(c);
    return 0;
}

int
confined_mem(const struct confined *c)
{
    return memctx_rammap_source(c->map, 0)->fd;
}

int
confined_pagemap(const struct confined *c)
{
    return memctx_rammap_source(c->map, 0)->pagemap_fd;
}

int
confined_file(const struct confined *c)
{
    return memctx_rammap_source(c->other, 0)->fd;
}

bool
confined_holds_filter(void)
{
#ifdef INSTRUMENTED
    return false;
#else
    return !is_under_valgrind();
#endif
}

/* As a prober does it. */
void
confined_enter(const struct confined *c)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct sandbox_fd fds[] = {{c->sockets[1], SANDBOX_TALK},
                                     {STDERR_FILENO, SANDBOX_WRITE}};
    const struct sandbox sandbox = {
        .parent = getppid(),
        .maps = {c->map, c->other},
        .fds = fds,
        .n_fds = MEMCTX_ARRAY_LEN(fds),
        .memory_bytes = 16 * MEMCTX_MIB,
        .cpu_s = 60,
    };
    if (sandbox_enter(&sandbox, &err) == 0)
        return;
    fprintf(stderr, "%s\n", err.message);
    _exit(CONFINED_FAILED);
}

int
confined_run(struct confined *c, void (*run)(const struct confined *c))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        confined_enter(c);
        run(c);
        _exit(CONFINED_CAME_THROUGH);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

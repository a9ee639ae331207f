/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's filter language (Documentation/networking/filter.rst, as
 * Documentation/userspace-api/seccomp_filter.rst restricts it) has words of 32
 * bits, jumps forward only, and no loops. So a 64-bit comparison takes two
 * words, and a search among many windows is a tree that is written out.
 *
 * A program, in words:
 *
 *   if the call is not pread64: allow
 *   for each descriptor:
 *       if it is not the one that is read: go to the next
 *       if count >= 2^32 or offset >= 2^63: kill
 *       end = offset + count
 *       find the last window that starts at or before offset; none: kill
 *       end behind the window's: kill
 *       allow
 *   allow
 */
#include "sandbox/window.h"

#include <assert.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/bytes.h"

/* Where pread64(fd, buf, count, offset) has its arguments. Of a descriptor the
 * kernel looks at the low word alone, so that is all that is compared: a caller
 * must not pass by with something in the high one. */
#define LOW(argument) (offsetof(struct seccomp_data, args[argument]))
#define HIGH(argument) (LOW(argument) + sizeof(uint32_t))
#define FD LOW(0)
#define COUNT_LOW LOW(2)
#define COUNT_HIGH HIGH(2)
#define OFFSET_LOW LOW(3)
#define OFFSET_HIGH HIGH(3)

/* The filter's memory, where the end of what is read is kept. */
#define END_LOW 0
#define END_HIGH 1

/* Instructions at most: of put_branch() and put_leaf() for each window, of the
 * rest of put_descriptor() for each descriptor. They tell what will fit. */
#define WINDOW_LEN 13
#define DESCRIPTOR_LEN 21

/* Upper halves that wait: a program has room for less than 2^9 windows. */
#define DEPTH_MAX 10

struct program {
    struct sock_filter *code;
    size_t len;
};

static void
put(struct program *program, unsigned code, uint64_t k)
{
    assert(program->len < BPF_MAXINSNS);
    program->code[program->len++] = (struct sock_filter){
        .code = (uint16_t)code,
        .k = (uint32_t)k,
    };
}

/* Skip so many instructions if the comparison holds, and so many if not. */
static void
put_jump(struct program *program, unsigned comparison, uint64_t k,
         uint8_t if_true, uint8_t if_false)
{
    put(program, BPF_JMP | comparison, k);
    program->code[program->len - 1].jt = if_true;
    program->code[program->len - 1].jf = if_false;
}

static void
put_load(struct program *program, uint64_t where)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, where);
}

static void
put_answer(struct program *program, uint64_t action)
{
    put(program, BPF_RET | BPF_K, action);
}

/* A jump as far as one likes, to where land() says. */
static size_t
put_far_jump(struct program *program)
{
    put(program, BPF_JMP | BPF_JA, 0);
    return program->len - 1;
}

/* What comes next is where the far jump leads. */
static void
land(struct program *program, size_t jump)
{
    program->code[jump].k = (uint32_t)(program->len - jump - 1);
}

/* Kill if a bit of `mask` is set in the word. */
static void
put_refuse_bits(struct program *program, uint64_t where, uint32_t mask)
{
    put_load(program, where);
    put_jump(program, BPF_JSET, mask, 0, 1);
    put_answer(program, SECCOMP_RET_KILL_PROCESS);
}

/* end = offset + count, both known to be small enough. A sum of the low words
 * that is less than what was added has a carry. */
static void
put_end(struct program *program)
{
    put_load(program, COUNT_LOW);
    put(program, BPF_MISC | BPF_TAX, 0);
    put_load(program, OFFSET_LOW);
    put(program, BPF_ALU | BPF_ADD | BPF_X, 0);
    put(program, BPF_ST, END_LOW);
    put_jump(program, BPF_JGE | BPF_X, 0, 3, 0);
    put_load(program, OFFSET_HIGH);
    put(program, BPF_ALU | BPF_ADD | BPF_K, 1);
    put(program, BPF_JMP | BPF_JA, 1);
    put_load(program, OFFSET_HIGH);
    put(program, BPF_ST, END_HIGH);
}

/* Jump far if offset >= start. Returns the jump. */
static size_t
put_branch(struct program *program, uint64_t start)
{
    put_load(program, OFFSET_HIGH);
    put_jump(program, BPF_JGT, start >> 32, 3, 0);
    put_jump(program, BPF_JEQ, start >> 32, 0, 3);
    put_load(program, OFFSET_LOW);
    put_jump(program, BPF_JGE, start, 0, 1);
    return put_far_jump(program);
}

/* Offset is known to be at or behind the window's start. */
static void
put_leaf(struct program *program, const struct window *window)
{
    uint64_t end = window->start + window->size;
    put(program, BPF_LD | BPF_MEM, END_HIGH);
    put_jump(program, BPF_JGT, end >> 32, 4, 0);
    put_jump(program, BPF_JEQ, end >> 32, 0, 2);
    put(program, BPF_LD | BPF_MEM, END_LOW);
    put_jump(program, BPF_JGT, end, 1, 0);
    put_answer(program, SECCOMP_RET_ALLOW);
    put_answer(program, SECCOMP_RET_KILL_PROCESS);
}

/* Windows among which one is to be found, and the jump that leads there. */
struct part {
    const struct window *windows;
    size_t n;
    size_t jump;
};

/* Halves what is left until it is one window; the upper half waits. Bounded: a
 * part of n windows is halved n - 1 times. */
static void
put_tree(struct program *program, const struct window *windows, size_t n)
{
    struct part waiting[DEPTH_MAX];
    size_t n_waiting = 0;
    size_t in_all = put_branch(program, windows[0].start);
    put_answer(program, SECCOMP_RET_KILL_PROCESS);
    waiting[n_waiting++] = (struct part){windows, n, in_all};
    while (n_waiting > 0) {
        struct part part = waiting[--n_waiting];
        land(program, part.jump);
        while (part.n > 1) {
            size_t half = part.n / 2;
            struct part upper = {part.windows + half, part.n - half, 0};
            upper.jump = put_branch(program, upper.windows[0].start);
            assert(n_waiting < DEPTH_MAX);
            waiting[n_waiting++] = upper;
            part.n = half;
        }
        put_leaf(program, part.windows);
    }
}

static void
put_descriptor(struct program *program, const struct window *windows, size_t n)
{
    put_load(program, FD);
    put_jump(program, BPF_JEQ, (uint32_t)windows[0].fd, 1, 0);
    size_t past = put_far_jump(program);
    put_refuse_bits(program, COUNT_HIGH, UINT32_MAX);
    put_refuse_bits(program, OFFSET_HIGH, UINT32_C(1) << 31);
    put_end(program);
    put_tree(program, windows, n);
    land(program, past);
}

static int
compare(const void *a, const void *b)
{
    const struct window *v = a;
    const struct window *w = b;
    if (v->fd != w->fd)
        return v->fd < w->fd ? -1 : 1;
    return v->start < w->start ? -1 : v->start > w->start;
}

static bool
can_join(const struct window *first, const struct window *second)
{
    return first->fd == second->fd &&
           second->start <= first->start + first->size;
}

int
window_sort(struct window *windows, size_t *n, struct memctx_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        if (windows[i].size == 0 ||
            !memctx_range_in(windows[i].start, windows[i].size, 0,
                             UINT64_C(1) << 63))
            return memctx_error_set(err, MEMCTX_BUG,
                                    "a window of %#" PRIx64
                                    " bytes at %#" PRIx64 " cannot be",
                                    windows[i].size, windows[i].start);
    }
    qsort(windows, *n, sizeof(windows[0]), compare);
    for (size_t i = 0; i < *n; i++) {
        struct window *last = kept > 0 ? &windows[kept - 1] : NULL;
        if (last == NULL || !can_join(last, &windows[i])) {
            windows[kept++] = windows[i];
            continue;
        }
        last->size = memctx_max(last->size, windows[i].start + windows[i].size -
                                                last->start);
    }
    *n = kept;
    return 0;
}

/* How many of windows[n] are of the first one's descriptor. */
static size_t
count_first(const struct window *windows, size_t n)
{
    size_t count = 1;
    while (count < n && windows[count].fd == windows[0].fd)
        count++;
    return count;
}

int
window_program(const struct window *windows, size_t n, struct sock_filter *code,
               size_t *len, size_t *used, struct memctx_error *err)
{
    struct program program = {.code = code};
    size_t done = 0;
    put_load(&program, offsetof(struct seccomp_data, nr));
    put_jump(&program, BPF_JEQ, SYS_pread64, 1, 0);
    put_answer(&program, SECCOMP_RET_ALLOW);
    while (done < n) {
        size_t count = count_first(windows + done, n - done);
        if (program.len + DESCRIPTOR_LEN + count * WINDOW_LEN + 1 >
            BPF_MAXINSNS)
            break;
        put_descriptor(&program, windows + done, count);
        done += count;
    }
    if (done == 0 && n > 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM is %zu pieces of QEMU's memory, "
                                "more than a filter can hold",
                                count_first(windows, n));
    put_answer(&program, SECCOMP_RET_ALLOW);
    *len = program.len;
    *used = done;
    return 0;
}

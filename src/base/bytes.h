/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Little-endian loads and checked sums for numbers that a guest wrote. */
#ifndef MEMCTX_BYTES_H
#define MEMCTX_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MEMCTX_PAGE_SIZE 4096u
#define MEMCTX_KIB (UINT64_C(1) << 10)
#define MEMCTX_MIB (UINT64_C(1) << 20)
#define MEMCTX_GIB (UINT64_C(1) << 30)

#define MEMCTX_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of this type whose member *pointer is. */
#define MEMCTX_CONTAINER_OF(pointer, type, member) \
    ((type *)((char *)(pointer)-offsetof(type, member)))

/* One load each, also where the compiler does not optimise. */
static inline uint16_t
memctx_le16(const unsigned char *p)
{
    uint16_t raw;
    memcpy(&raw, p, sizeof(raw));
    return le16toh(raw);
}

static inline uint32_t
memctx_le32(const unsigned char *p)
{
    uint32_t raw;
    memcpy(&raw, p, sizeof(raw));
    return le32toh(raw);
}

static inline uint64_t
memctx_le64(const unsigned char *p)
{
    uint64_t raw;
    memcpy(&raw, p, sizeof(raw));
    return le64toh(raw);
}

/* *sum = a + b; false, with *sum untouched, when that does not fit. */
static inline bool
memctx_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t s;
    if (__builtin_add_overflow(a, b, &s))
        return false;
    *sum = s;
    return true;
}

/* *product = a * b; false, with *product untouched, when it does not fit. */
static inline bool
memctx_mul(uint64_t a, uint64_t b, uint64_t *product)
{
    uint64_t p;
    if (__builtin_mul_overflow(a, b, &p))
        return false;
    *product = p;
    return true;
}

/* Does [start, start + len) lie in [base, base + size), without wrapping? */
static inline bool
memctx_range_in(uint64_t start, uint64_t len, uint64_t base, uint64_t size)
{
    return start >= base && len <= size && start - base <= size - len;
}

/* The next multiple of `to`, or value if it is one; it must fit. */
static inline uint64_t
memctx_round_up(uint64_t value, uint64_t to)
{
    return value + (to - value % to) % to;
}

static inline uint64_t
memctx_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t
memctx_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif

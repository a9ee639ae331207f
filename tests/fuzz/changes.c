/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads changes as far as the input goes; every input is some. */
#include "changes.h"

#include <endian.h>
#include <string.h>

#define CHANGES_MAX 64u
#define TEXT_MAX 64u
#define REPEATS_MAX (64 * MEMCTX_KIB) /* bytes of one text, all together */

struct input {
    const uint8_t *data;
    size_t left;
};

static void
take(struct input *in, void *to, size_t len)
{
    size_t n = (size_t)memctx_min(len, in->left);
    memset(to, 0, len);
    memcpy(to, in->data, n);
    in->data += n;
    in->left -= n;
}

static unsigned
take_byte(struct input *in)
{
    uint8_t byte;
    take(in, &byte, sizeof(byte));
    return byte;
}

static unsigned
take_le16(struct input *in)
{
    uint8_t raw[2];
    take(in, raw, sizeof(raw));
    return memctx_le16(raw);
}

uint64_t
fuzz_place(const struct fuzz_guest *guest, unsigned place)
{
    if (place < guest->n_places)
        return guest->places[place];
    return guest->tables_gpa + (place - guest->n_places) * MEMCTX_PAGE_SIZE;
}

/* Where a change is made; RAM is written only at the stage of the change, but
 * its input is passed over at each. */
struct change {
    const struct fuzz_guest *guest;
    bool now;
    uint64_t gpa;
};

static void
write_bytes(const struct change *c, uint64_t at, const void *bytes, size_t len)
{
    if (c->now)
        memram_write(c->guest->ram, c->gpa + at, bytes, len);
}

static void
put_bytes(const struct change *c, struct input *in)
{
    uint8_t bytes[TEXT_MAX];
    size_t len = take_byte(in) % TEXT_MAX + 1;
    take(in, bytes, len);
    write_bytes(c, 0, bytes, len);
}

static void
put_entries(const struct change *c, struct input *in)
{
    uint64_t to_gpa = fuzz_place(c->guest, take_byte(in));
    unsigned flags = take_byte(in);
    unsigned count = take_byte(in) + 1;
    uint64_t bits = flags & ~(FUZZ_ENTRY_NO_EXECUTE | FUZZ_ENTRY_ASCEND);
    if ((flags & FUZZ_ENTRY_NO_EXECUTE) != 0)
        bits |= c->guest->no_execute;
    for (unsigned i = 0; i < count; i++) {
        uint64_t entry = htole64(to_gpa | bits);
        write_bytes(c, i * c->guest->entry_bytes, &entry,
                    c->guest->entry_bytes);
        if ((flags & FUZZ_ENTRY_ASCEND) != 0)
            to_gpa += MEMCTX_PAGE_SIZE;
    }
}

static void
put_text(const struct change *c, struct input *in)
{
    uint8_t bytes[TEXT_MAX];
    size_t len = take_byte(in) % TEXT_MAX + 1;
    size_t times = (size_t)memctx_min(take_le16(in), REPEATS_MAX / len);
    take(in, bytes, len);
    for (size_t i = 0; i < times; i++)
        write_bytes(c, i * len, bytes, len);
}

static void
put_copy(const struct change *c, struct input *in)
{
    uint8_t bytes[MEMCTX_PAGE_SIZE];
    uint64_t from_gpa = fuzz_place(c->guest, take_byte(in));
    from_gpa += take_le16(in) % MEMCTX_PAGE_SIZE;
    size_t len = take_le16(in) % sizeof(bytes) + 1;
    memram_read(c->guest->ram, from_gpa, bytes, len);
    write_bytes(c, 0, bytes, len);
}

void
fuzz_change(const struct fuzz_guest *guest, unsigned stage, const uint8_t *data,
            size_t size)
{
    typedef void put_fn(const struct change *c, struct input *in);
    static put_fn *const kinds[] = {put_bytes, put_entries, put_text, put_copy};
    struct input in = {data, size};
    for (unsigned n = 0; n < CHANGES_MAX && in.left > 0; n++) {
        unsigned kind = take_byte(&in);
        uint64_t gpa = fuzz_place(guest, take_byte(&in));
        const struct change c = {
            .guest = guest,
            .now = (kind >> 4) % FUZZ_STAGES == stage,
            .gpa = gpa + take_le16(&in) % MEMCTX_PAGE_SIZE,
        };
        kinds[kind % MEMCTX_ARRAY_LEN(kinds)](&c, &in);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober that its guest has taken over sends to memctxd. Byte 0 is what
 * it was asked, byte 1 which right answer is changed; then each three bytes are
 * an offset in it, and what is xor'ed to the byte there. What is taken keeps to
 * the guest's RAM and to what was asked. */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "guestimg.h"
#include "paging/paging.h"
#include "wire/probe.h"

#define RAM_SIZE (64 * MEMCTX_KIB)

struct guest {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_rammap *other;
};

static void
guest_init(struct guest *g)
{
    const struct memctx_extent moved = {MEMCTX_GIB, RAM_SIZE, 0, 0};
    guestimg_init(&g->img, RAM_SIZE, RAM_SIZE);
    g->map = guestimg_rammap(&g->img, NULL);
    FUZZ_MUST(memctx_rammap_create_beside(g->map, &g->other, NULL) == 0 &&
              memctx_rammap_add_extent(g->other, &moved, NULL) == 0);
}

static void
guest_deinit(struct guest *g)
{
    memctx_rammap_destroy(g->map);
    memctx_rammap_destroy(g->other);
    guestimg_deinit(&g->img);
}

static void
check_parts(const struct memctx_probe_answer *a,
            const struct memctx_probe_request *asked,
            const struct memctx_rammap *map)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < a->n_parts; i++) {
        const struct memctx_probe_part *part = &a->parts[i];
        FUZZ_MUST(memctx_rammap_contains(map, part->gpa, part->size));
        FUZZ_MUST((part->gpa ^ (asked->gva + size)) % MEMCTX_PAGE_SIZE == 0);
        size += part->size;
    }
    FUZZ_MUST(size == asked->size);
}

static void
check(const struct memctx_probe_answer *a,
      const struct memctx_probe_request *asked,
      const struct memctx_probe_ram *ram)
{
    FUZZ_MUST(a->layout < ram->n && a->serial == asked->serial);
    const struct memctx_rammap *map = ram->maps[a->layout];
    FUZZ_MUST((a->verdict == MEMCTX_PROBE_DONE) == (a->why.kind == MEMCTX_OK));
    if (a->has_kernel)
        FUZZ_MUST(memctx_rammap_contains(
            map, a->kernel.kcr3, memctx_paging_root_size(a->kernel.paging)));
    FUZZ_MUST(a->n_words <= MEMCTX_PROBE_WORDS_MAX);
    for (uint32_t i = 0; i < a->n_words; i++)
        FUZZ_MUST(memctx_rammap_contains(map, a->words[i].gpa, 8));
    if (asked->task == MEMCTX_PROBE_TRANSLATE &&
        a->verdict == MEMCTX_PROBE_DONE)
        check_parts(a, asked, map);
}

static void
fill_found(struct memctx_probe_answer *a)
{
    a->has_kernel = true;
    a->alive = true;
    a->proof = MEMCTX_LAYOUT_PROVEN;
    a->kernel.os = MEMCTX_OS_LINUX;
    a->kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    a->kernel.kcr3 = 0x1000;
    a->kernel.clue_gpa = 0x2000;
    strcpy(a->kernel.version, "6.1");
    a->n_words = 1;
    a->per_second = 1000;
}

/* A kernel; one that is pending; none; two parts of 16 bytes. */
static void
fill(struct memctx_probe_answer *a, unsigned which)
{
    memset(a, 0, sizeof(*a));
    a->serial = 1;
    a->verdict = which < 3 ? which : MEMCTX_PROBE_DONE;
    if (a->verdict != MEMCTX_PROBE_DONE)
        memctx_error_set(&a->why, MEMCTX_RETRY, "not yet");
    if (which < 2)
        fill_found(a);
    if (which == 3) {
        a->n_parts = 2;
        a->parts[0] = (struct memctx_probe_part){0xff8, 8, true};
        a->parts[1] = (struct memctx_probe_part){0x3000, 8, false};
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_probe_answer answer;
    struct memctx_probe_answer taken;
    struct guest g;
    if (size < 2)
        return;
    const struct memctx_probe_request asked = {
        .serial = 1,
        .task = data[0] % MEMCTX_PROBE_TASKS,
        .gva = 0xff8,
        .size = 16,
    };
    fill(&answer, data[1] % 4);
    for (size_t i = 2; i + 3 <= size; i += 3) {
        size_t at = (size_t)(data[i] | data[i + 1] << 8) % sizeof(answer);
        ((unsigned char *)&answer)[at] ^= data[i + 2];
    }
    guest_init(&g);
    const struct memctx_probe_ram ram = {{g.map, g.other}, 2};
    if (memctx_probe_answer_decode(&answer, sizeof(answer), &asked, &ram,
                                   &taken, NULL) == 0)
        check(&taken, &asked, &ram);
    guest_deinit(&g);
}

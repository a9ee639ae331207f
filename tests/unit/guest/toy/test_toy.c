/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A Toy in RAM is searched, seen running, published, and read back: all that a
 * system gets for its room and its row. Run by tests/test_new_guest.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datum/datum.h"
#include "guest/toy/toy.h"
#include "guestimg.h"
#include "search/layouts.h"
#include "search/search.h"

#define RAM (64 * MEMCTX_MIB)
#define SELF UINT64_C(0xffffffff81000000)
#define PAGE_GPA (40 * MEMCTX_MIB)

#define MUST(what)                                                            \
    do {                                                                      \
        if (!(what)) {                                                        \
            fprintf(stderr, "%s:%d: not true: %s (%s)\n", __FILE__, __LINE__, \
                    #what, err.message);                                      \
            exit(EXIT_FAILURE);                                               \
        }                                                                     \
    } while (0)

static struct memctx_error err = MEMCTX_ERROR_INIT;

/* Its page, mapped at SELF and at mapped_gpa in truth. */
static void
add_toy(struct guestimg *img, uint64_t mapped_gpa)
{
    unsigned char page[TOY_LEN] = TOY_MAGIC;
    struct guestimg_space space = {.root_gpa = 2 * MEMCTX_MIB, .levels = 4};
    memcpy(page + TOY_VERSION, "1.0-toy", 8);
    guestimg_write(img, PAGE_GPA, page, sizeof(page));
    guestimg_write_le64(img, PAGE_GPA + TOY_ROOT, space.root_gpa);
    guestimg_write_le64(img, PAGE_GPA + TOY_SELF, SELF);
    guestimg_write_le64(img, PAGE_GPA + TOY_TICKS, 1000);
    guestimg_map(img, &space, SELF, mapped_gpa, MEMCTX_PAGE_SIZE,
                 MEMCTX_PTE_PRESENT);
}

/* Two facts must agree. */
static void
check_search(const struct memctx_rammap *map, bool found)
{
    const struct memctx_search_request request = {.all = true};
    struct memctx_search_result result;
    struct memctx_search *search;
    MUST(memctx_search_create(&search, &err) == 0);
    int failed = memctx_search_try(search, map, &request, &result, &err);
    MUST(failed == (found ? 0 : -1));
    MUST(result.seen[MEMCTX_OS_TOY].n_clues == 1);
    MUST(result.seen[MEMCTX_OS_TOY].passed == (found ? 0 : 1));
    MUST(found ||
         strstr(err.message, "toy: 1 candidate, the best: check self"));
    memctx_search_destroy(search);
}

/* Not cold: it has to be seen running. */
static struct memctx_kernel
check_layouts(const struct guestimg *img, const struct memctx_rammap *map)
{
    struct memctx_layouts *layouts;
    struct memctx_layouts_result result;
    struct memctx_bootstrap_request request = {.now_us = 1000000};
    MUST(memctx_layouts_create(&map, 1, &layouts, &err) == 0);
    MUST(memctx_layouts_try(layouts, &request, &result, &err) < 0);
    MUST(result.found.pending);
    request.now_us += 1000000;
    guestimg_write_le64(img, PAGE_GPA + TOY_TICKS, 1100);
    MUST(memctx_layouts_try(layouts, &request, &result, &err) == 0);
    MUST(result.found.alive);
    memctx_layouts_destroy(layouts);
    return result.found.kernel;
}

/* Prints the XML, for the schema. */
static void
check_datum(const struct memctx_kernel *kernel, const struct memctx_rammap *map)
{
    struct memctx_datum datum;
    struct memctx_datum again;
    char *xml;
    char *json;
    MUST(memctx_datum_init(&datum, kernel, map, RAM, &err) == 0);
    MUST(memctx_datum_to_xml(&datum, MEMCTX_PUBLIC, &xml, &err) == 0);
    MUST(memctx_datum_to_json(&datum, &json, &err) == 0);
    MUST(strstr(xml, "<guest os=\"toy\" version=\"1.0-toy\"/>") != NULL);
    MUST(strstr(xml, "found=\"toy-page\" checks=\"magic,self\"") != NULL);
    MUST(strstr(json, "\"os\":\"toy\"") != NULL);
    MUST(memctx_datum_from_xml(xml, strlen(xml), &again, &err) == 0);
    MUST(again.kernel.os == MEMCTX_OS_TOY);
    MUST(memctx_datum_is_equal(&datum, &again));
    puts(xml);
    free(xml);
    free(json);
    memctx_datum_deinit(&datum);
    memctx_datum_deinit(&again);
}

int
main(void)
{
    struct guestimg img;
    guestimg_init(&img, RAM, RAM);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    add_toy(&img, PAGE_GPA + MEMCTX_PAGE_SIZE);
    check_search(map, false);
    add_toy(&img, PAGE_GPA);
    check_search(map, true);
    const struct memctx_kernel kernel = check_layouts(&img, map);
    MUST(kernel.kcr3 == 2 * MEMCTX_MIB);
    check_datum(&kernel, map);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
    return EXIT_SUCCESS;
}

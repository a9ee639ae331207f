/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* By its symbol, or by how it begins. */
#include "explain/banner.h"

#include <string.h>

#include "explain/fields.h"
#include "explain/image.h"

#define BEGINS "Linux version "

struct found {
    struct memctx_target *target;
    struct memctx_banner banner;
};

/* Does the banner of this kernel stand there? Others may be left of a boot
 * before, and in the kernel's own log. */
static bool
is_banner(const struct memctx_target *target, const char *text)
{
    const char *version = target->kernel->version;
    size_t len = strlen(version);
    return strncmp(text, BEGINS, strlen(BEGINS)) == 0 &&
           strncmp(text + strlen(BEGINS), version, len) == 0 &&
           text[strlen(BEGINS) + len] == ' ';
}

static bool
look_at(void *arg, uint64_t gva)
{
    struct found *found = arg;
    struct memctx_banner *banner = &found->banner;
    if (memctx_chars_read(found->target, gva, banner->text,
                          sizeof(banner->text), NULL) < 0 ||
        !is_banner(found->target, banner->text))
        return true;
    banner->gva = gva;
    return false;
}

int
memctx_banner_read(struct memctx_target *target, uint64_t gva,
                   struct memctx_banner *ret, struct memctx_error *err)
{
    struct found found = {.target = target};
    if (gva != 0)
        look_at(&found, gva);
    if (found.banner.gva == 0 &&
        memctx_image_search(target, BEGINS, strlen(BEGINS), look_at, &found,
                            err) < 0)
        return -1;
    if (found.banner.gva == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no linux_banner is in the kernel's image");
    *ret = found.banner;
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Turns what BTF says into offsets that are sane, and reads there. */
#include "explain/fields.h"

#include <inttypes.h>

/* What a wish leads to. 0, or -1 if the BTF has none of its names. */
static int
look_up(const struct memctx_btf *btf, const struct memctx_wish *wish,
        struct memctx_btf_field *ret, struct memctx_error *err)
{
    if (wish->other != NULL &&
        memctx_btf_field(btf, wish->in, wish->other, ret, NULL) == 0)
        return 0;
    return memctx_btf_field(btf, wish->in, wish->path, ret, err);
}

static int
find(const struct memctx_target *target, const struct memctx_btf *btf,
     const struct memctx_wish *wish, struct memctx_field *ret,
     struct memctx_error *err)
{
    struct memctx_btf_field found;
    uint64_t size;
    if (look_up(btf, wish, &found, err) < 0)
        return -1;
    if (memctx_btf_size(btf, found.type, memctx_target_word_size(target), &size,
                        err) < 0)
        return memctx_error_prefix(err, "%s.%s", wish->in, wish->path);
    if (found.bits != 0 || found.offset_bits % 8 != 0 ||
        !memctx_range_in(found.offset_bits / 8, size, 0, MEMCTX_STRUCT_MAX))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s.%s has %" PRIu64 " bytes at bit %" PRIu64
                                " of its struct",
                                wish->in, wish->path, size, found.offset_bits);
    *ret = (struct memctx_field){true, (uint32_t)(found.offset_bits / 8),
                                 (uint32_t)size, found.type};
    return 0;
}

int
memctx_fields_find(const struct memctx_target *target,
                   const struct memctx_btf *btf,
                   const struct memctx_wish *wishes, size_t n,
                   struct memctx_field *ret, struct memctx_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct memctx_error why = MEMCTX_ERROR_INIT;
        ret[i] = (struct memctx_field){.known = false};
        if (find(target, btf, &wishes[i], &ret[i], &why) == 0 ||
            wishes[i].optional)
            continue;
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s", why.message);
    }
    return 0;
}

int
memctx_field_read(struct memctx_target *target,
                  const struct memctx_field *field, uint64_t gva, uint64_t *ret,
                  struct memctx_error *err)
{
    unsigned char raw[8] = {0};
    uint32_t size = field->size_bytes;
    if (!field->known || (size != 1 && size != 2 && size != 4 && size != 8))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "a number of %" PRIu32 " bytes", size);
    if (memctx_view_read(&target->view, memctx_field_at(field, gva), raw, size,
                         err) < 0)
        return -1;
    *ret = memctx_le64(raw);
    return 0;
}

int
memctx_chars_read(struct memctx_target *target, uint64_t gva, char *ret,
                  size_t size_bytes, struct memctx_error *err)
{
    size_t used = 0;
    /* Page by page: what is behind the NUL may not be mapped. */
    while (used + 1 < size_bytes) {
        size_t part = (size_t)memctx_min(MEMCTX_PAGE_SIZE -
                                             (gva + used) % MEMCTX_PAGE_SIZE,
                                         size_bytes - 1 - used);
        if (memctx_view_read(&target->view, gva + used, ret + used, part, err) <
            0)
            return -1;
        size_t len = strnlen(ret + used, part);
        used += len;
        if (len < part)
            break;
    }
    ret[used] = '\0';
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the search asks of Linux: from VMCOREINFO in RAM to a verified
 * swapper_pg_dir. */
#include <inttypes.h>

#include "base/bytes.h"
#include "guest/guest.h"
#include "guest/linux/arm.h"
#include "guest/linux/clock.h"
#include "guest/linux/clue.h"
#include "guest/linux/note.h"
#include "guest/linux/pointers.h"
#include "guest/linux/proof.h"
#include "guest/linux/root.h"
#include "guest/linux/shape.h"
#include "guest/linux/vmcoreinfo.h"

/* Kinds of clue, the best first: only the note is complete for sure, and a root
 * alone tells less than either. */
enum clue {
    NOTE,
    TEXT,
    SHAPE,
    CLUES
};

static const char *const clue_names[CLUES] = {
    [NOTE] = "vmcoreinfo-note",
    [TEXT] = "vmcoreinfo-text",
    [SHAPE] = "without-note",
};

static void
set_clue(struct memctx_kernel *kernel, enum clue clue)
{
    memctx_kernel_set_clue(kernel, clue, clue_names[clue]);
}

static int
verify_note(struct memctx_session *session, uint64_t clue_gpa,
            struct memctx_kernel *ret, struct memctx_error *err)
{
    struct memctx_vmcoreinfo info;
    struct memctx_kernel kernel;
    bool is_note;
    size_t size;
    if (memctx_linux_note_read(session->map, clue_gpa, &info, &is_note, &size,
                               err) < 0 ||
        memctx_linux_prove(session, &info, &kernel, err) < 0)
        return memctx_error_prefix(err, "VMCOREINFO at gpa %#" PRIx64,
                                   clue_gpa);
    kernel.clue_gpa = clue_gpa;
    set_clue(&kernel, is_note ? NOTE : TEXT);
    kernel.linux_facts.vmcoreinfo_gpa = clue_gpa;
    kernel.linux_facts.vmcoreinfo_size = (uint32_t)size;
    *ret = kernel;
    return 0;
}

/* The kernel that has this root, if something better has led to it. */
static const struct memctx_kernel *
find_known(const struct memctx_session *session, uint64_t root_gpa)
{
    for (size_t i = 0; i < session->n_known; i++) {
        const struct memctx_kernel *known = &session->known[i];
        if (known->os == MEMCTX_OS_LINUX && known->kcr3 == root_gpa &&
            known->clue_rank < SHAPE)
            return known;
    }
    return NULL;
}

/* A note among the variables of an image that was proven. */
struct noted {
    struct memctx_session *session;
    struct memctx_kernel *kernel;
    bool found;
};

static bool
try_note(uint64_t gpa, void *arg)
{
    struct noted *noted = arg;
    noted->found = memctx_linux_note_begins(noted->session->map, gpa) &&
                   verify_note(noted->session, gpa, noted->kernel, NULL) == 0;
    return !noted->found;
}

/* A root tells less than a note. One of this kernel's is near. */
static int
verify_shape(struct memctx_session *session, uint64_t clue_gpa,
             struct memctx_kernel *ret, struct memctx_error *err)
{
    const struct memctx_kernel *known = find_known(session, clue_gpa);
    struct memctx_linux_image image;
    struct memctx_kernel kernel;
    struct noted noted = {session, ret, false};
    if (known != NULL) {
        *ret = *known;
        return 0;
    }
    if (memctx_linux_shape_verify(session->map, clue_gpa, session->every,
                                  &kernel, &image, err) < 0)
        return -1;
    memctx_linux_pointers(session->map, &image, try_note, &noted);
    if (noted.found)
        return 0;
    set_clue(&kernel, SHAPE);
    *ret = kernel;
    return 0;
}

/* A clue is a note, or a page that has the shape of a root. */
static int
verify(struct memctx_session *session, uint64_t clue_gpa,
       struct memctx_kernel *ret, struct memctx_error *err)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    session->passed = 0;
    if (clue_gpa % MEMCTX_PAGE_SIZE != 0)
        return verify_note(session, clue_gpa, ret, err);
    if (memctx_rammap_read(session->map, clue_gpa, page, sizeof(page), err) < 0)
        return memctx_error_prefix(err, "VMCOREINFO at gpa %#" PRIx64,
                                   clue_gpa);
    if (!memctx_vmcoreinfo_begins(page) &&
        memctx_linux_shape_is_clue(page, clue_gpa)) {
        if (memctx_linux_arm_is_from(session->map, page, MEMCTX_LINUX_ARM_RAM))
            session->ram_gpa = MEMCTX_LINUX_ARM_RAM;
        return verify_shape(session, clue_gpa, ret, err);
    }
    return verify_note(session, clue_gpa, ret, err);
}

static void
move(struct memctx_kernel *kernel, const struct memctx_rammap *from,
     const struct memctx_rammap *to)
{
    struct memctx_linux_facts *facts = &kernel->linux_facts;
    if (facts->vmcoreinfo_size != 0)
        facts->vmcoreinfo_gpa =
            memctx_rammap_translate(from, facts->vmcoreinfo_gpa, to);
}

const struct memctx_guest_ops memctx_linux_ops = {
    .sought = "VMCOREINFO",
    .follow = memctx_linux_follow,
    .likely = {MEMCTX_LINUX_ARM_RAM, MEMCTX_LINUX_ARM_LIKELY},
    .likely_at_start = true,
    .scan = memctx_linux_scan,
    .hides = memctx_linux_hides,
    .verify = verify,
    .clocks = memctx_linux_clocks,
    .move = move,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each part has a room of its own in the kernel's image. */
#include "talkimg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figureimg.h"
#include "moduleimg.h"
#include "symimg.h"
#include "taskimg.h"

/* From _text on. The tables of symimg.h end before, vmcoreinfo_note stands at
 * 0xa00000. */
#define TASKS UINT64_C(0x920000)
#define MODULES UINT64_C(0x930000)
#define FIGURES UINT64_C(0x970000)
#define TYPES UINT64_C(0x980000)
#define LOG UINT64_C(0xa80000)

/* Fuzz targets have no cmocka. */
static void
must(bool held)
{
    if (!held)
        abort();
}

struct logimg
talkimg_log(const struct guestimg *img, const struct guestimg_kernel *kernel)
{
    return logimg(img, kernel->text_gpa + LOG, kernel->text_gva + LOG, 8, 4,
                  12);
}

/* The kernel seen from one of the rooms. */
static struct explimg
room(const struct guestimg *img, const struct guestimg_kernel *kernel,
     uint64_t at)
{
    return (struct explimg){
        .img = *img, .built = *kernel, .room_gva = kernel->text_gva + at};
}

static void
write_tasks(const struct explimg *x)
{
    taskimg_init(x);
    taskimg_add(x, 1, 1, "init");
    taskimg_add(x, 2, 7, "a\"b");
    explimg_le64(x, taskimg_gva(x, 2) + TASKIMG_PARENT, taskimg_gva(x, 1));
    for (unsigned i = 0; i < TALKIMG_WORKERS; i++)
        taskimg_add(x, 3 + i, 100 + i, "worker");
}

static void
write_modules(const struct explimg *x)
{
    moduleimg_init(x);
    moduleimg_add(x, 0, "dummy");
    moduleimg_add(x, 1, "fat");
    moduleimg_use(x, 0, 0, 1);
}

/* Where its types end. */
static uint64_t
write_types(const struct explimg *x)
{
    struct btfimg *types = calloc(1, sizeof(*types));
    size_t len;
    must(types != NULL);
    btfimg_init(types);
    taskimg_types(types);
    moduleimg_types(types, MODULEIMG_NEW);
    figureimg_types(types, FIGUREIMG_NEW);
    unsigned char *bytes = btfimg_bytes(types, &len);
    explimg_write(x, x->room_gva, bytes, len);
    free(bytes);
    free(types);
    return x->room_gva + len;
}

static void
add_symbol(struct symimg *sym, const char *name, uint64_t gva)
{
    char text[64];
    snprintf(text, sizeof(text), "D%s", name);
    symimg_add(sym, text, gva - sym->text_gva);
}

/* Those of landmarks that are there, behind _stext. */
static void
write_symbols(struct symimg *sym, const struct memctx_landmarks *landmarks)
{
    static const char *const names[] = {
#define NAME(landmark, name) [MEMCTX_AT_##landmark] = name,
        MEMCTX_LANDMARKS(NAME)
#undef NAME
    };
    symimg_add(sym, "T_stext", 0);
    symimg_add(sym, "tdo_exit", 0x100);
    for (unsigned i = 0; i < MEMCTX_LANDMARKS_END; i++) {
        if (landmarks->gva[i] != 0)
            add_symbol(sym, names[i], landmarks->gva[i]);
    }
    must(sym->n == TALKIMG_SYMBOLS);
}

/* Write VMCOREINFO again, with more behind it. */
static void
write_note(const struct guestimg *img, struct guestimg_kernel *kernel,
           const struct symimg *sym, const struct explimg *figures,
           const struct logimg *log)
{
    char lines[1024];
    char note[FIGUREIMG_NOTE_MAX];
    symimg_lines(sym, lines, sizeof(lines));
    figureimg_note(figures, note);
    int len = snprintf(kernel->text + kernel->text_len,
                       sizeof(kernel->text) - kernel->text_len, "%s%s%s", lines,
                       strstr(note, "SYMBOL(node_data)"),
                       strchr(log->note, '\n') + 1);
    kernel->text_len += (size_t)len;
    must(kernel->text_len < sizeof(kernel->text));
    guestimg_write(img, kernel->bare_gpa, kernel->text, kernel->text_len + 1);
    guestimg_write_note(img, kernel->note_gpa, kernel->text, kernel->text_len);
}

void
talkimg_add(struct guestimg *img, struct guestimg_kernel *kernel)
{
    guestimg_add_kernel(img, kernel);
    const struct explimg tasks = room(img, kernel, TASKS);
    const struct explimg modules = room(img, kernel, MODULES);
    const struct explimg figures = room(img, kernel, FIGURES);
    const struct explimg types = room(img, kernel, TYPES);
    struct symimg sym =
        symimg(img, kernel->text_gpa, kernel->text_gva, SYMIMG_POSITIVE);
    struct logimg log = talkimg_log(img, kernel);
    write_tasks(&tasks);
    write_modules(&modules);
    figureimg_write(&figures);
    struct memctx_landmarks landmarks = figureimg_landmarks(&figures);
    landmarks.gva[MEMCTX_AT_START_BTF] = types.room_gva;
    landmarks.gva[MEMCTX_AT_STOP_BTF] = write_types(&types);
    landmarks.gva[MEMCTX_AT_INIT_TASK] = taskimg_gva(&tasks, 0);
    landmarks.gva[MEMCTX_AT_MODULES] = moduleimg_head(&modules);
    write_symbols(&sym, &landmarks);
    write_note(img, kernel, &sym, &figures, &log);
    logimg_add(&log, 5, 1000000, "first");
    logimg_add(&log, 4, 2000000, "second\nline");
}

void
talkimg_break(const struct guestimg *img, const struct guestimg_kernel *kernel)
{
    const struct explimg tasks = room(img, kernel, TASKS);
    const struct explimg modules = room(img, kernel, MODULES);
    explimg_le64(&tasks, taskimg_gva(&tasks, 1) + TASKIMG_TASKS, 8);
    explimg_le64(&modules, moduleimg_gva(&modules, 0) + MODULEIMG_LIST, 8);
}

void
talkimg_places(const struct guestimg_kernel *kernel,
               uint64_t gpa[TALKIMG_PLACES])
{
    static const uint64_t at[TALKIMG_PLACES] = {SYMIMG_NUM_SYMS,
                                                SYMIMG_TOKEN_TABLE,
                                                SYMIMG_TOKEN_INDEX,
                                                SYMIMG_OFFSETS,
                                                SYMIMG_NAMES,
                                                TASKS,
                                                MODULES,
                                                MODULES + 0x10000,
                                                MODULES + 0x20000,
                                                MODULES + 0x21000,
                                                FIGURES,
                                                FIGURES + 0x1000,
                                                FIGURES + 0x2000,
                                                TYPES,
                                                TYPES + 0x1000,
                                                TYPES + 0x2000};
    for (size_t i = 0; i < TALKIMG_PLACES; i++)
        gpa[i] = kernel->text_gpa + at[i];
}

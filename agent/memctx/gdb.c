/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx gdb: gdb's remote protocol on standard input and output, for
 *
 *   gdb -ex 'target remote | memctx gdb DOMAIN'
 *
 * gdb sees a target that stands still, since it knows of no other that it could
 * read. The guest does not: it runs on, and nothing can be written to it. What
 * is refused is said on standard error, too, which gdb prints: it has no words
 * of its own for most of that. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "memctx/gdbpacket.h"
#include "memctx/subject.h"
#include "paging/format.h"

/* While gdb asks nothing: when it is seen whether the kernel still runs. */
#define CHECK_MS 500

/* A kernel that is doubted for a moment is waited for, so often. */
#define DOUBTS 30
#define DOUBT_MS 100

/* Two digits a byte. */
#define READ_MAX (GDBPACKET_MAX / 2)

struct gdb_options {
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_TIMEOUT(struct gdb_options),
    OPTIONS_END,
};

/* What gdb is told of the machine. Registers are not known: the guest runs. gdb
 * wants values for them, and gets zeros, as many as it needs for the program
 * counter to be among them. */
struct machine {
    uint16_t elf_machine;
    const char *name; /* as gdb has it */
    size_t registers_bytes;
};

static const struct machine machines[] = {
    {EM_X86_64, "i386:x86-64", 17 * 8 + 7 * 4},
    {EM_386, "i386", 16 * 4},
    {EM_AARCH64, "aarch64", 33 * 8 + 4},
};

/* NULL: gdb knows no such. */
static const struct machine *
machine_of(const struct memctx_kernel *kernel)
{
    uint16_t wanted = memctx_paging_format(kernel->paging)->arch->elf_machine;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(machines); i++) {
        if (machines[i].elf_machine == wanted)
            return &machines[i];
    }
    return NULL;
}

struct session {
    struct subject subject;
    const struct machine *machine;
    struct gdbpacket packet;
    struct memctx_text out; /* not sent yet */
    bool acknowledges;
    char gone[MEMCTX_MESSAGE_MAX + 32]; /* why there is no kernel to read any
                                           more; "": there is */
    bool over;
    enum exit_code code; /* when it is over */
};

static void
session_deinit(struct session *s)
{
    memctx_text_deinit(&s->out);
    subject_deinit(&s->subject);
}

static void
reply(struct session *s, const char *text)
{
    gdbpacket_add(&s->out, text, strlen(text));
}

/* For gdb, and for who sits before it. */
static void
refuse(struct session *s, const char *what)
{
    char text[200];
    snprintf(text, sizeof(text), "E.%s", what);
    fprintf(stderr, "memctx: %s\n", what);
    reply(s, text);
}

static void
end(struct session *s, enum exit_code code)
{
    s->over = true;
    s->code = code;
}

/* ---- the kernel ---------------------------------------------------------- */

/* Does the kernel still run that the session began with? If it is known not to,
 * its RAM is let go of at once. gdb hears of it when it asks for something: it
 * reads standard error only then. */
static bool
is_there(struct session *s)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (unsigned i = 0; i < DOUBTS; i++) {
        if (subject_check(&s->subject, &err) == 0)
            return true;
        if (err.kind != MEMCTX_RETRY)
            break;
        poll(NULL, 0, DOUBT_MS);
    }
    if (err.kind == MEMCTX_RETRY)
        return false;
    snprintf(s->gone, sizeof(s->gone), "this session is over: %s", err.message);
    subject_deinit(&s->subject);
    s->subject = (struct subject)SUBJECT_INIT;
    return false;
}

/* The last that gdb hears. */
static void
tell_gone(struct session *s)
{
    refuse(s, s->gone);
    end(s, EXIT_ERROR);
}

/* As many bytes from gva on as can be read; 0: none. */
static size_t
read_memory(struct session *s, uint64_t gva, unsigned char *bytes, size_t size)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t done = 0;
    while (done < size) {
        size_t in_page = MEMCTX_PAGE_SIZE - (gva + done) % MEMCTX_PAGE_SIZE;
        size_t part = (size_t)memctx_min(size - done, in_page);
        if (memctx_reader_read_gva(s->subject.reader, gva + done, bytes + done,
                                   part, &err) < 0)
            break;
        done += part;
    }
    return done;
}

/* "mADDRESS,LENGTH" */
static void
answer_memory(struct session *s, const char *rest)
{
    unsigned char bytes[READ_MAX];
    char text[2 * READ_MAX + 1];
    uint64_t gva;
    uint64_t size;
    if (!memctx_number_take(&rest, 16, UINT64_MAX, &gva) || *rest++ != ',' ||
        !memctx_number_take(&rest, 16, UINT64_MAX, &size) || *rest != '\0') {
        reply(s, "E01");
        return;
    }
    size = memctx_min(size, READ_MAX);
    size_t n = read_memory(s, gva, bytes, (size_t)size);
    if (n == 0 && is_there(s))
        n = read_memory(s, gva, bytes, (size_t)size);
    for (size_t i = 0; i < n; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    if (n > 0)
        reply(s, text);
    else if (s->gone[0] != '\0')
        tell_gone(s);
    else
        reply(s, "E14"); /* EFAULT */
}

/* ---- what gdb asks ------------------------------------------------------- */

static void
answer_features(struct session *s, const char *rest)
{
    char xml[512];
    char text[600];
    uint64_t from;
    uint64_t size;
    int n = snprintf(xml, sizeof(xml),
                     "<?xml version=\"1.0\"?>"
                     "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                     "<target><architecture>%s</architecture></target>",
                     s->machine->name);
    if (!memctx_number_take(&rest, 16, UINT64_MAX, &from) || *rest++ != ',' ||
        !memctx_number_take(&rest, 16, UINT64_MAX, &size) || *rest != '\0') {
        reply(s, "E01");
        return;
    }
    from = memctx_min(from, (uint64_t)n);
    size = memctx_min(size, (uint64_t)n - from);
    bool last = from + size == (uint64_t)n;
    snprintf(text, sizeof(text), "%c%.*s", last ? 'l' : 'm', (int)size,
             xml + from);
    reply(s, text);
}

static void
answer_supported(struct session *s, const char *rest)
{
    char text[80];
    (void)rest;
    snprintf(text, sizeof(text),
             "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+",
             GDBPACKET_MAX);
    reply(s, text);
}

static void
answer_no_acks(struct session *s, const char *rest)
{
    (void)rest;
    s->acknowledges = false;
    reply(s, "OK");
}

static void
answer_registers(struct session *s, const char *rest)
{
    char zeros[1024];
    (void)rest;
    memset(zeros, '0', sizeof(zeros));
    gdbpacket_add(&s->out, zeros, 2 * s->machine->registers_bytes);
}

static void
refuse_write(struct session *s, const char *rest)
{
    (void)rest;
    refuse(s, "nothing is written: memctx reads a guest that runs on");
}

static void
refuse_stop(struct session *s, const char *rest)
{
    (void)rest;
    refuse(s, "no breakpoints: memctx reads a guest and never stops it");
}

static void
refuse_run(struct session *s, const char *rest)
{
    (void)rest;
    refuse(s, "the guest runs all the time: memctx cannot stop or step it");
}

static void
answer_detach(struct session *s, const char *rest)
{
    (void)rest;
    reply(s, "OK");
    end(s, EXIT_DONE);
}

static void
answer_kill(struct session *s, const char *rest)
{
    (void)rest;
    end(s, EXIT_DONE);
}

/* By what a packet begins with, the longer words first. What stands in no row
 * is answered with nothing: memctx does not know it. */
static const struct {
    const char *word;
    const char *answer; /* NULL: ask the function */
    void (*act)(struct session *s, const char *rest);
} rows[] = {
    {"qXfer:features:read:target.xml:", NULL, answer_features},
    {"QStartNoAckMode", NULL, answer_no_acks},
    {"qSupported", NULL, answer_supported},
    {"qfThreadInfo", "m1", NULL},
    {"qsThreadInfo", "l", NULL},
    {"qAttached", "1", NULL},
    {"qSymbol", "OK", NULL},
    {"qC", "QC1", NULL},
    {"vCont;", NULL, refuse_run},
    {"vKill", NULL, answer_detach},
    {"m", NULL, answer_memory},
    {"g", NULL, answer_registers},
    {"?", "S05", NULL},
    {"H", "OK", NULL},
    {"T", "OK", NULL},
    {"D", NULL, answer_detach},
    {"k", NULL, answer_kill},
    {"M", NULL, refuse_write},
    {"X", NULL, refuse_write},
    {"G", NULL, refuse_write},
    {"P", NULL, refuse_write},
    {"Z", NULL, refuse_stop},
    {"z", NULL, refuse_stop},
    {"c", NULL, refuse_run},
    {"C", NULL, refuse_run},
    {"s", NULL, refuse_run},
    {"S", NULL, refuse_run},
};

static void
answer(struct session *s)
{
    if (s->gone[0] != '\0') {
        tell_gone(s);
        return;
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].word);
        if (strncmp(s->packet.text, rows[i].word, len) != 0)
            continue;
        if (rows[i].answer != NULL)
            reply(s, rows[i].answer);
        else
            rows[i].act(s, s->packet.text + len);
        return;
    }
    reply(s, "");
}

/* ---- the session --------------------------------------------------------- */

static void
send_all(struct session *s)
{
    for (size_t done = 0; done < s->out.len_bytes;) {
        ssize_t n =
            write(STDOUT_FILENO, s->out.bytes + done, s->out.len_bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            end(s, EXIT_ERROR);
            break;
        }
        done += (size_t)n;
    }
    s->out.len_bytes = 0;
    if (s->out.failed)
        end(s, command_fail(EXIT_ERROR, "out of memory"));
}

/* What gdb has sent, byte by byte. */
static void
take(struct session *s, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && !s->over; i++) {
        enum gdbpacket_event event = gdbpacket_feed(&s->packet, bytes[i]);
        if (event == GDBPACKET_NONE)
            continue;
        if (s->acknowledges)
            memctx_text_add_bytes(&s->out, event == GDBPACKET_WHOLE ? "+" : "-",
                                  1);
        if (event == GDBPACKET_WHOLE)
            answer(s);
        send_all(s);
    }
}

static enum exit_code
serve(struct session *s)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!s->over) {
        char bytes[4096];
        int wait_ms = s->gone[0] == '\0' ? CHECK_MS : -1;
        if (poll(&fd, 1, wait_ms) == 0) {
            is_there(s);
            continue;
        }
        ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (n == 0)
            return EXIT_DONE;
        if (n < 0 && errno != EINTR)
            return command_fail(EXIT_ERROR, "nothing can be read from gdb: %s",
                                strerror(errno));
        if (n > 0)
            take(s, bytes, (size_t)n);
    }
    return s->code;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct gdb_options *options = in->options;
    static const struct sandbox_fd heard = {STDIN_FILENO, SANDBOX_HEAR};
    MEMCTX_CLEANUP(session_deinit)
    struct session s = {
        .subject = SUBJECT_INIT, .out = MEMCTX_TEXT_INIT, .acknowledges = true};
    enum exit_code code = subject_open_domain(
        &in->common, in->words[0], options->timeout_ms, NULL, &s.subject);
    if (code == EXIT_DONE)
        code = subject_confine(&s.subject, &heard);
    if (code != EXIT_DONE)
        return code;
    s.machine = machine_of(&s.subject.datum.kernel);
    if (s.machine == NULL)
        return command_fail(EXIT_ERROR, "gdb knows no such machine");
    return serve(&s);
}

const struct command command_gdb = {
    .name = "gdb",
    .group = COMMAND_MEMORY,
    .summary = "let gdb look into a running guest",
    .usage = "gdb DOMAIN [--timeout S]",
    .description =
        "Speak gdb's remote protocol on standard input and output, read-only:\n"
        "\n"
        "    gdb -ex 'target remote | memctx gdb DOMAIN' kernel.elf\n\n"
        "gdb reads the memory of the guest's kernel by virtual addresses. The "
        "guest is not stopped, and all that gdb shows may have changed since. "
        "Registers are zero, since nobody knows them. Writes, breakpoints and "
        "steps are refused. The session ends when another kernel runs.\n\n"
        "memctx export --format elf makes kernel.elf, the symbols of this very "
        "kernel; examples/gdb-kernel.sh adds its types." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 1,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct gdb_options),
    .run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds kept logs by what stands in their heads, and prints one. */
#include "memctx/keptlogs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "boots/bootdir.h"
#include "explain/logtext.h"
#include "memctx/confine.h"
#include "memctx/logline.h"
#include "wire/rundir.h"

void
keptlogs_deinit(struct keptlogs *logs)
{
    memctx_close_fd(&logs->dirfd);
    free(logs->logs);
    logs->logs = NULL;
}

/* ---- finding ------------------------------------------------------------- */

/* Heads have names as a terminal gets them. */
static bool
is_of(const struct bootlog *head, const char *domain)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text name = MEMCTX_TEXT_INIT;
    if (domain == NULL || strcmp(head->uuid, domain) == 0)
        return true;
    memctx_text_add_terminal(&name, domain, strlen(domain));
    return name.bytes != NULL && strcmp(head->domain, name.bytes) == 0;
}

/* Those of one domain, each by itself. A transient domain may have another UUID
 * each time: who asks by name means all of that name. */
static void
number(struct keptlogs *logs, bool one)
{
    for (size_t i = 0; i < logs->n; i++) {
        const char *uuid = logs->logs[i].head.uuid;
        int newer = 0;
        for (size_t j = 0; j < i; j++)
            newer += one || strcmp(logs->logs[j].head.uuid, uuid) == 0;
        logs->logs[i].boot = -1 - newer;
    }
}

/* One that goes meanwhile, to make room, is not there. */
static int
read_heads(struct keptlogs *logs, const char *domain, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) struct bootdir_entry *entries = NULL;
    size_t n;
    if (bootdir_list(logs->dirfd, &entries, &n, err) < 0)
        return -1;
    logs->logs = calloc(n + 1, sizeof(logs->logs[0]));
    if (logs->logs == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = n; i-- > 0;) {
        struct keptlog *log = &logs->logs[logs->n];
        memcpy(log->name, entries[i].name, sizeof(log->name));
        logs->n += bootdir_read(logs->dirfd, log->name, &log->head, NULL, NULL,
                                NULL, NULL) == 0 &&
                   is_of(&log->head, domain);
    }
    number(logs, domain != NULL);
    return 0;
}

int
keptlogs_open(const struct common_options *common, const char *domain,
              struct keptlogs *ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (rundir_boots_for_uri(common->uri, common->runtime_dir, ret->path,
                             sizeof(ret->path), err) < 0)
        return -1;
    if (bootdir_open(ret->path, false, &ret->dirfd, &why) < 0)
        return why.kind == MEMCTX_GONE ? 0 : memctx_error_pass(err, &why);
    return read_heads(ret, domain, err);
}

/* ---- lines --------------------------------------------------------------- */

struct printing {
    const struct keptlogs_wanted *wanted;
    struct memctx_text out;
    uint64_t lines; /* so far */
    uint64_t printed;
    uint64_t odd; /* that are no lines of a log */
};

/* "<6>[    1.234567] text", which *record points into. */
static bool
parse_line(const char *line, struct memctx_printk_record *record)
{
    const char *at = line;
    uint64_t priority;
    uint64_t seconds;
    uint64_t us;
    if (*at++ != '<' || !memctx_number_take(&at, 10, UINT16_MAX, &priority) ||
        *at++ != '>' || *at++ != '[')
        return false;
    at += strspn(at, " ");
    if (!memctx_number_take(&at, 10, UINT64_MAX / 1000000000 - 1, &seconds) ||
        *at++ != '.' || !memctx_number_take(&at, 10, 999999, &us) ||
        *at++ != ']' || *at++ != ' ')
        return false;
    *record = (struct memctx_printk_record){
        .ts_nsec = seconds * 1000000000 + us * 1000,
        .facility = (unsigned)(priority >> 3),
        .level = priority & 7,
        .text = at,
        .len_bytes = strlen(at),
    };
    return true;
}

static void
add_line(struct printing *p, const char *line)
{
    const struct keptlogs_wanted *wanted = p->wanted;
    struct memctx_printk_record record;
    if (!parse_line(line, &record)) {
        p->odd++;
        return;
    }
    record.seq = p->lines++;
    if ((wanted->levels >> record.level & 1) == 0 ||
        (wanted->since_ms >= 0 &&
         record.ts_nsec / 1000000 < (uint64_t)wanted->since_ms))
        return;
    if (wanted->json) {
        memctx_text_add(&p->out, "%s", p->printed == 0 ? "" : ",");
        logline_add_json(&p->out, &record, 0);
    } else {
        memctx_logtext_add(&p->out, &record,
                           wanted->raw ? MEMCTX_LOGTEXT_RAW_QUOTED
                                       : MEMCTX_LOGTEXT_PLAIN);
    }
    p->printed++;
}

/* All of them; `lines` is changed. */
static enum exit_code
print_lines(struct printing *p, char *lines, char *end)
{
    /* Bounded: each turn passes a newline. */
    for (char *stop;
         (stop = memchr(lines, '\n', (size_t)(end - lines))) != NULL;
         lines = stop + 1) {
        *stop = '\0';
        add_line(p, lines);
    }
    if (p->out.failed)
        return command_fail(EXIT_ERROR, "out of memory");
    if (p->wanted->json)
        fputs("{\"records\":[", stdout);
    if (p->out.len_bytes > 0)
        fwrite(p->out.bytes, 1, p->out.len_bytes, stdout);
    if (p->wanted->json)
        puts("]}");
    fflush(stdout); /* so that warnings stand behind the lines */
    return EXIT_DONE;
}

/* What its guest wrote is not looked at before there is a sandbox around. */
static enum exit_code
print_file(const struct bootlog *head, const struct keptlogs_wanted *wanted,
           char *lines, char *end)
{
    struct printing p = {.wanted = wanted, .out = MEMCTX_TEXT_INIT};
    enum exit_code code = confine_alone();
    if (code == EXIT_DONE)
        code = print_lines(&p, lines, end);
    memctx_text_deinit(&p.out);
    if (code != EXIT_DONE)
        return code;
    if (head->missing[0] != '\0')
        fprintf(stderr, "warning: not all of this log was kept: %s\n",
                head->missing);
    if (p.odd > 0)
        fprintf(stderr, "warning: lines that are none of a log: %" PRIu64 "\n",
                p.odd);
    return EXIT_DONE;
}

/* ---- one log ------------------------------------------------------------- */

static const struct keptlog *
find(const struct keptlogs *logs, int boot)
{
    for (size_t i = 0; i < logs->n; i++) {
        if (logs->logs[i].boot == boot)
            return &logs->logs[i];
    }
    return NULL;
}

static enum exit_code
print_log(const struct keptlogs *logs, const struct keptlog *log,
          const struct keptlogs_wanted *wanted)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *bytes = NULL;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct bootlog head;
    size_t len;
    size_t begin;
    if (bootdir_read(logs->dirfd, log->name, &head, &bytes, &len, &begin,
                     &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (head.records == 0)
        return command_fail(EXIT_NOT_THERE, "nothing of this log was kept: %s",
                            head.missing);
    return print_file(&head, wanted, bytes + begin, bytes + len);
}

enum exit_code
keptlogs_print(const struct invocation *in,
               const struct keptlogs_wanted *wanted)
{
    MEMCTX_CLEANUP(keptlogs_deinit) struct keptlogs logs = KEPTLOGS_INIT;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    uint64_t back;
    if (wanted->boot[0] != '-' ||
        !memctx_number_parse_decimal(wanted->boot + 1, 100000, &back) ||
        back == 0)
        return command_misused(in->command,
                               "--boot wants -1 for the last kernel that "
                               "ended, -2 for the one before, ...");
    if (keptlogs_open(&in->common, wanted->domain, &logs, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    const struct keptlog *log = find(&logs, -(int)back);
    if (log == NULL)
        return command_fail(EXIT_NOT_THERE,
                            "of %zu kept logs of domain '%s' in %s none is "
                            "%s (see keep_logs in memctxd.conf(5))",
                            logs.n, wanted->domain, logs.path, wanted->boot);
    return print_log(&logs, log, wanted);
}

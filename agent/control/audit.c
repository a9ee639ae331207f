/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A small table of what was told of late. A user may have so many rows of it;
 * what else the user does is counted in a last row. */
#include "control/audit.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64
#define ROWS_OF_ONE_UID 16
#define DOMAIN_SIZE 96

/* What is alike is counted in one row. */
struct row {
    uid_t uid;
    pid_t pid;
    const char *operation; /* NULL: whatever the user does beside its rows */
    bool refused;
    char domain[DOMAIN_SIZE]; /* cut */
    char program[PEER_PROGRAM_SIZE];
    unsigned more; /* since the row was told last */
};

struct audit {
    const struct log *log;
    unsigned n_rows;
    struct row rows[ROWS_MAX];
    unsigned untold; /* the table was full */
};

struct audit *
audit_create(const struct log *log)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    if (audit != NULL)
        audit->log = log;
    return audit;
}

void
audit_destroy(struct audit *audit)
{
    if (audit == NULL)
        return;
    audit_flush(audit);
    free(audit);
}

static struct row
row_of(const struct audit_request *request)
{
    struct row row = {
        .uid = request->peer->uid,
        .pid = request->peer->pid,
        .operation = request->operation,
        .refused = request->refused != NULL,
    };
    if (request->domain != NULL)
        strncpy(row.domain, request->domain, sizeof(row.domain) - 1);
    memcpy(row.program, request->peer->program, sizeof(row.program));
    return row;
}

static bool
is_like(const struct row *a, const struct row *b)
{
    return a->uid == b->uid && a->pid == b->pid &&
           a->operation == b->operation && a->refused == b->refused &&
           strcmp(a->domain, b->domain) == 0 &&
           strcmp(a->program, b->program) == 0;
}

static struct row *
find(struct audit *audit, const struct row *wanted, unsigned *of_uid)
{
    struct row *found = NULL;
    *of_uid = 0;
    for (unsigned i = 0; i < audit->n_rows && found == NULL; i++) {
        *of_uid += audit->rows[i].uid == wanted->uid;
        if (is_like(&audit->rows[i], wanted))
            found = &audit->rows[i];
    }
    return found;
}

static struct row *
add(struct audit *audit, const struct row *row)
{
    if (audit->n_rows == ROWS_MAX)
        return NULL;
    audit->rows[audit->n_rows] = *row;
    return &audit->rows[audit->n_rows++];
}

/* The row in which everything else of this user is counted. */
static struct row *
rest_of(struct audit *audit, uid_t uid)
{
    const struct row rest = {.uid = uid};
    unsigned of_uid;
    struct row *row = find(audit, &rest, &of_uid);
    return row != NULL ? row : add(audit, &rest);
}

static void
tell_first(const struct audit *audit, const struct row *row,
           const struct audit_request *request)
{
    const char *uuid = request->uuid;
    const struct log_subject subject = {
        .kind = LOG_KIND_ACCESS, .domain = request->domain, .uuid = uuid};
    log_audit(audit->log, &subject,
              "access: op=%s uid=%u pid=%d program=%s domain=%s%s%s outcome=%s"
              "%s%s",
              row->operation, (unsigned)row->uid, (int)row->pid,
              LOG_QUOTE(row->program), LOG_QUOTE(request->domain),
              uuid != NULL ? " uuid=" : "", uuid != NULL ? uuid : "",
              row->refused ? "\"refused\"" : "\"granted\"",
              row->refused ? " reason=" : "",
              row->refused ? LOG_QUOTE(request->refused) : "");
}

void
audit_note(struct audit *audit, const struct audit_request *request)
{
    struct row row = row_of(request);
    unsigned of_uid;
    struct row *like = find(audit, &row, &of_uid);
    if (like == NULL && of_uid < ROWS_OF_ONE_UID - 1 &&
        add(audit, &row) != NULL) {
        tell_first(audit, &row, request);
        return;
    }
    if (like == NULL)
        like = rest_of(audit, row.uid);
    if (like != NULL)
        like->more++;
    else
        audit->untold++;
}

static void
tell_more(const struct audit *audit, const struct row *row)
{
    const struct log_subject subject = {
        .kind = LOG_KIND_ACCESS,
        .domain = row->operation != NULL ? row->domain : NULL};
    if (row->operation == NULL)
        log_audit(
            audit->log, &subject,
            "access: uid=%u more=%u seconds=%u: requests for guests' RAM, "
            "too many to be told one by one",
            (unsigned)row->uid, row->more, AUDIT_PERIOD_MS / 1000);
    else
        log_audit(audit->log, &subject,
                  "access: op=%s uid=%u pid=%d program=%s domain=%s outcome=%s "
                  "more=%u seconds=%u",
                  row->operation, (unsigned)row->uid, (int)row->pid,
                  LOG_QUOTE(row->program), LOG_QUOTE(row->domain),
                  row->refused ? "\"refused\"" : "\"granted\"", row->more,
                  AUDIT_PERIOD_MS / 1000);
}

bool
audit_has_rows(const struct audit *audit)
{
    return audit->n_rows > 0 || audit->untold > 0;
}

/* A row that was not used in this period goes. */
void
audit_flush(struct audit *audit)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < audit->n_rows; i++) {
        struct row row = audit->rows[i];
        if (row.more == 0)
            continue;
        tell_more(audit, &row);
        row.more = 0;
        audit->rows[kept++] = row;
    }
    if (audit->untold > 0)
        log_audit(audit->log, &(struct log_subject){.kind = LOG_KIND_ACCESS},
                  "access: more=%u seconds=%u: requests for guests' RAM of too "
                  "many users",
                  audit->untold, AUDIT_PERIOD_MS / 1000);
    audit->untold = 0;
    audit->n_rows = kept;
}

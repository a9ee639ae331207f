/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Jobs whose key is a user, and a list of the users who have some. It is as
 * long as there are threads, so that no user waits for another's. */
#include "control/intake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "control/connection.h"

#define USERS_MAX 8         /* and threads */
#define FDS_WAITING_MAX 256 /* of one user, before its last packet */
#define END_MS 1000

/* Who has jobs here. */
struct intake_user {
    uid_t uid;
    unsigned n_jobs; /* 0: nobody, and the rest means nothing */
    unsigned n_fds;  /* that these jobs have to do with */
};

struct intake {
    struct offload *offload;
    struct intake_user users[USERS_MAX];
};

/* A packet that is to be closed. It is a job of its user from the beginning. */
struct intake_lot {
    struct intake_job job; /* first */
    struct intake *intake;
    struct packet *packet;
};

int
intake_create(struct intake **ret, struct memctx_error *err)
{
    struct intake *intake = calloc(1, sizeof(*intake));
    if (intake == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (offload_create(USERS_MAX, &intake->offload, err) < 0) {
        free(intake);
        return -1;
    }
    *ret = intake;
    return 0;
}

/* The threads use jobs and the offload, not what is freed here. */
void
intake_destroy(struct intake *intake)
{
    if (intake == NULL)
        return;
    offload_destroy(intake->offload, END_MS);
    free(intake);
}

/* Where this user stands, or is put now; NULL: there is no place. */
static struct intake_user *
place_user(struct intake *intake, uid_t uid)
{
    struct intake_user *place = NULL;
    for (unsigned i = 0; i < USERS_MAX; i++) {
        struct intake_user *user = &intake->users[i];
        if (user->n_jobs > 0 && user->uid == uid)
            return user;
        if (user->n_jobs == 0)
            place = user;
    }
    if (place != NULL)
        *place = (struct intake_user){.uid = uid};
    return place;
}

static void
run(struct offload_job *offload_job)
{
    struct intake_job *job =
        MEMCTX_CONTAINER_OF(offload_job, struct intake_job, job);
    job->work(job);
}

static void
finish(struct offload_job *offload_job)
{
    struct intake_job *job =
        MEMCTX_CONTAINER_OF(offload_job, struct intake_job, job);
    job->user->n_jobs--;
    job->user->n_fds -= job->n_fds;
    job->done(job);
}

static void
submit(struct intake *intake, struct intake_job *job)
{
    char key[MEMCTX_UUID_TEXT_SIZE];
    snprintf(key, sizeof(key), "uid %u", (unsigned)job->user->uid);
    job->user->n_fds += job->n_fds;
    job->job = (struct offload_job){.work = run, .done = finish};
    offload_submit(intake->offload, key, &job->job);
}

void
intake_submit(struct intake *intake, uid_t uid, struct intake_job *job)
{
    job->user = place_user(intake, uid);
    assert(job->user != NULL);
    job->user->n_jobs++;
    submit(intake, job);
}

static void
close_packet(struct intake_job *job)
{
    struct intake_lot *lot = (struct intake_lot *)job;
    packet_destroy(lot->packet);
}

static void
free_lot(struct intake_job *job)
{
    free(job);
}

struct intake_lot *
intake_reserve(struct intake *intake, uid_t uid)
{
    struct intake_user *user = place_user(intake, uid);
    if (user == NULL || user->n_fds >= FDS_WAITING_MAX)
        return NULL;
    struct intake_lot *lot = calloc(1, sizeof(*lot));
    if (lot == NULL)
        return NULL;
    lot->intake = intake;
    lot->job.user = user;
    lot->job.work = close_packet;
    lot->job.done = free_lot;
    user->n_jobs++;
    return lot;
}

void
intake_close(struct intake_lot *lot, struct packet *packet)
{
    unsigned n_fds = packet != NULL ? packet_count_fds(packet) : 0;
    if (n_fds == 0) {
        packet_destroy(packet);
        if (lot != NULL)
            lot->job.user->n_jobs--;
        free(lot);
        return;
    }
    assert(lot != NULL);
    lot->packet = packet;
    lot->job.n_fds = n_fds;
    submit(lot->intake, &lot->job);
}

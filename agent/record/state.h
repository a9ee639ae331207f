/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One domain run as the agent knows it, and how it acts on the world. Loop
 * thread only. */
#ifndef MEMCTXD_RECORD_STATE_H
#define MEMCTXD_RECORD_STATE_H

#include <stdbool.h>

#include "base/uuid.h"
#include "boots/bootlog.h"
#include "datum/datum.h"
#include "domain/domain.h"
#include "record/epoch.h"
#include "common/log.h"
#include "common/repeats.h"
#include "publish/statefile.h"
#include "tries/adapter.h"

struct record;

/* How a record acts on the world. `arg` is the ops' own. */
struct record_ops {
    /* Make this the domain's datum, whether its kernel runs or not. Copies what
       it needs. */
    void (*publish)(void *arg, const struct record *record,
                    const struct memctx_datum *datum);
    /* The domain's datum, which is still in the record, holds no more. */
    void (*withdraw)(void *arg, const struct record *record);
    /* What is to be remembered of the run changed, and nothing else. */
    void (*remember)(void *arg, const struct record *record);
    /* The public state, its reason or the datum changed. */
    void (*changed)(void *arg, const struct record *record);
    /* The kernel of the datum, which is still in the record with its RAM, has
       ended, or may have. Before anything else is done about it: the next
       kernel overwrites what it has left. */
    void (*ended)(void *arg, const struct record *record, enum bootlog_end end);
    /* It has not, after all. */
    void (*goes_on)(void *arg, const struct record *record);
    void *arg;
};

/* Fields are for reading. */
struct record {
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    char *name; /* UTF-8, owned */
    int id;     /* libvirt's, tells one run of the domain from the next */
    enum memctx_phase phase;
    unsigned connection; /* the one on which libvirt last spoke of it */
    unsigned boot; /* kernels that resets ended in this run, plus 1: libvirt
                      sends two or three events for one reset */
    struct statefile_run run; /* of QEMU, instance 0 before its RAM was opened
                                 (libvirt gives ids again after its own
                                 restart); and how far it was counted */
    bool joined;              /* that was learned: its RAM was opened, and its
                                 metadata were read */
    bool has_datum;           /* `datum` is the one; it stands published, as
                                 far as we know, */
    bool unpublished; /* unless nobody has seen its kernel running: readers that
                         ask for it get it, and the metadata have none */
    bool told;        /* others were told of it by this agent */
    bool watched; /* its kernel was seen running, and nothing that has happened
                     since was missed */
    bool died;    /* its guest has panicked */
    bool ended;   /* that the kernel that was counted last has ended, or may
                     have, was told */
    bool fought;  /* the owner's: somebody else keeps changing its metadata */
    struct memctx_datum datum;
    struct memctx_rammap *map;  /* the RAM that the datum was found in; NULL
                                   while there is no datum, or it is closed */
    uint64_t identity;          /* of the RAM that `kernel_epoch` is of */
    uint64_t kernel_epoch;      /* of the datum; 0: none was published yet */
    struct epoch *epoch;        /* kernel_epoch while the state is ready */
    struct memctx_error reason; /* why it is not ready; kind OK: no reason */
    enum memctx_state logged;   /* what the log has said of it last, */
    uint64_t logged_epoch;      /* and of which kernel */
    bool wait_logged;    /* the one diagnostic line of this wait was written */
    struct repeats news; /* lines of the log on what changed */
    unsigned faults_logged; /* of probers, when that was logged last */
    bool has_unproven;
    struct memctx_datum unproven; /* what stood in the metadata of a run that no
                                  agent knew */
    bool booted; /* libvirt said when this run began that it was booted */
    bool cold;   /* RAM never held another kernel: it was just started, and
                    nothing has happened since */
    bool
        believed; /* the kernel that was found need not be seen running again */
    struct adapter *adapter;
    const struct record_ops *ops;
    const struct log *log;
    uint64_t start_us; /* the guest was started or reset then, monotonic, and
                          had no datum since; 0: nobody was there */
    uint64_t delay_us; /* from then to the datum, the last time; 0: unknown */
    bool counted;      /* this agent has published a kernel of this run, */
    bool was_reset;    /* and the guest was reset since */
    unsigned replaced; /* kernels that others took the place of without that */
    unsigned repairs;  /* the owner's: of metadata that somebody changed */
    uint64_t change;   /* the control socket's: number of the last change of
                          what others see */
    struct record *next; /* the owner's */
};

/* State in a word, and the reason in words ("" when there is none). */
enum memctx_state record_state(const struct record *record);
const char *record_reason(const struct record *record);

/* The datum that stands in the metadata; NULL: none should. */
const struct memctx_datum *record_published(const struct record *record);

/* A line of the log about it. */
struct log_subject record_subject(const struct record *record,
                                  enum log_kind kind);

/* Is the guest paused, as far as is known? */
bool record_is_paused(const struct record *record);

/* What others see of a record, as far as it changes. */
struct record_appearance {
    enum memctx_state state;
    bool has_datum;
    unsigned published;          /* its generation, in the metadata; 0: none */
    enum memctx_datum_live live; /* of the datum */
    uint64_t kernel_epoch;
    struct memctx_error reason;
};

struct record_appearance record_appearance(const struct record *record);

/* Does it look different from what it looked like before? */
bool record_has_changed(const struct record *record,
                        const struct record_appearance *before);

#endif
